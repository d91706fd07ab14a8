//! What caches keep, and to which nanosecond.

use resilient_runtime::Cache;

use super::*;

const NANO: Duration = Duration::from_nanos(1);

#[tokio::test(start_paused = true)]
async fn a_value_expires_at_the_nanosecond_and_stands_in_until_another() {
    let cache = Cache::new("prices").ttl(secs(10)).stale_if_error(secs(5));
    let get = async |answer: Result<u32, Error>| cache.get_or("tea", || async { answer }).await;
    assert_eq!(get(Ok(1)).await, Ok(1));
    advance(secs(10).saturating_sub(NANO)).await;
    assert_eq!(get(Ok(2)).await, Ok(1));
    advance(NANO).await;
    assert_eq!(get(Err(Down)).await, Ok(1));
    advance(secs(5).saturating_sub(NANO)).await;
    assert_eq!(get(Err(Down)).await, Ok(1));
    advance(NANO).await;
    assert_eq!(get(Err(Down)).await, Err(Down));
    let seen = cache.snapshot();
    assert_eq!((seen.hits, seen.misses, seen.stale_on_error, seen.stored), (1, 4, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn only_an_answer_takes_the_place_of_a_stale_value() {
    let refused = Error::Refused(Rejected::BulkheadFull { name: "shop" });
    for (error, passes, stays) in [
        (Down, false, true),
        (Busy(secs(1)), false, true),
        (refused, false, true),
        (NotMine, true, true),
        (Declined, true, false),
    ] {
        let cache = Cache::new("prices").ttl(secs(1)).stale_if_error(secs(60));
        let get = async |answer: Result<u32, Error>| cache.get_or("tea", || async { answer }).await;
        assert_eq!(get(Ok(1)).await, Ok(1));
        advance(secs(2)).await;
        assert_eq!(get(Err(error.clone())).await, if passes { Err(error.clone()) } else { Ok(1) });
        assert_eq!(get(Err(Down)).await, if stays { Ok(1) } else { Err(Down) }, "after {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_found_is_a_value_too() {
    let cache = Cache::new("users");
    let get = || {
        cache.get_or::<_, Option<u32>, Error, _>("nobody", || async {
            ran();
            Ok(None)
        })
    };
    assert_eq!((get().await, get().await, runs()), (Ok(None), Ok(None), 1));
}
