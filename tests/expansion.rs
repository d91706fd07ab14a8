//! Every shape of function an attribute can stand on, by what it does.

use std::time::Duration;

use resilient_runtime::{Rejected, fallback, timeout};
use tokio::time::sleep;

#[derive(Debug, PartialEq)]
enum PayError {
    Busy,
    Rejected,
}

impl From<Rejected> for PayError {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

#[timeout("1s")]
async fn slow(time: Duration) -> Result<u32, PayError> {
    sleep(time).await;
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn a_function_can_time_out() {
    assert_eq!(slow(Duration::from_millis(10)).await, Ok(1));
    assert_eq!(slow(Duration::from_secs(10)).await, Err(PayError::Rejected));
}

/// Docs.
#[fallback(fn = cached)]
#[timeout("1s")]
async fn guarded(id: String, n: u32) -> Result<String, PayError> {
    sleep(Duration::from_secs(u64::from(n))).await;
    if id.is_empty() {
        return Err(PayError::Busy);
    }
    Ok(id)
}

fn cached(id: String, n: u32) -> Result<String, PayError> {
    Ok(format!("cached {id}{n}"))
}

#[tokio::test(start_paused = true)]
async fn a_fallback_gets_the_arguments() {
    assert_eq!(guarded("a".into(), 0).await, Ok("a".into()));
    assert_eq!(guarded("a".into(), 2).await, Ok("cached a2".into()));
    assert_eq!(guarded(String::new(), 0).await, Ok("cached 0".into()));
}

#[fallback(fn = later(id, err))]
async fn async_fallback(id: &str) -> Result<String, PayError> {
    Err::<u8, _>(PayError::Busy)?;
    Ok(id.to_owned())
}

async fn later(id: &str, err: PayError) -> Result<String, PayError> {
    sleep(Duration::from_millis(1)).await;
    Ok(format!("{id} {err:?}"))
}

#[tokio::test(start_paused = true)]
async fn a_fallback_can_be_async_and_see_the_error() {
    assert_eq!(async_fallback("a").await, Ok("a Busy".into()));
}
