//! How tests wait for calls that run beside them.

use tokio::task::{JoinHandle, yield_now};

/// Lets all other tasks go as far as they get.
pub(crate) async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

/// A call beside this one, as far as it gets.
pub(crate) async fn spawned<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let call = tokio::spawn(call);
    settle().await;
    call
}
