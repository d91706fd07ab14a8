//! Attribute macros of `resilient-runtime`, which re-exports them: depend on that crate.
//!
//! Attributes nest as they read, top = outermost. The usual stack is `fallback`, `retry`,
//! `circuit_breaker`, `timeout`. All of them stand on any `async fn` that returns a `Result` under
//! whatever name, on methods, and on functions that return one `async move` block; above `#[tokio::test]`
//! and `#[tokio::main]`. Where a number or a duration stands, the path of a `const` may stand too.
//! `crate = ::path` names the runtime where it goes by another name.

mod args;
mod classify;
mod diag;
mod func;
#[cfg(feature = "health")]
mod health_check;
#[cfg(feature = "config")]
mod include_config;
mod item;
mod key;
mod lower;
mod order;
mod params;
mod paths;
mod policy;
mod reader;
mod record;
mod scan;
mod stack;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Runs an async function again after a failure, with backoff.
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | `max` | attempts, the first included | 3 | at least 2 |
/// | `backoff` | `"exponential"`, `"fixed"`, `"linear"`, `"fibonacci"` | `"exponential"` | one of these |
/// | `base` | duration | `"100ms"` | not above `max_delay` |
/// | `factor` | number | 2.0 | at least 1; only with `"exponential"` |
/// | `max_delay` | duration, holds after jitter | `"10s"` | at most a day |
/// | `jitter` | `"full"`, `"equal"`, `"decorrelated"`, `"none"` | `"full"` | one of these |
/// | `within` | duration for everything, waits included | none | longer than the least first wait |
/// | `when` | `fn(&E) -> bool`: retry this error | by class | captures nothing |
/// | `when_ok` | `fn(&T) -> bool`: retry this value | never | captures nothing |
/// | `on_retry` | `fn(u32, Duration, RetryCause<'_, E>)` | none | captures nothing |
/// | `budget` | name of a budget, or `"none"` | `"default"` | not empty |
/// | `max_retry_after` | duration: longest hint of a server obeyed | `"30s"` | at most a day |
/// | `nested` | `"share"`, `"once"`: inside another retry's attempt | `"share"` | one of these |
/// | `no_clone(a, b)` | arguments that the body only borrows | none | names of parameters |
/// | `name` | text | path of the function | not empty |
/// | `enabled` | `true` or `false` | `true`; otherwise every call passes as if it were not there | |
///
/// # Arguments
///
/// Each attempt gets its own copy of the owned arguments that the body mentions, so they must be `Clone`, or
/// stand in `no_clone(…)`. References are lent again. A `self` by value must be `Clone` only where the body
/// uses it up or changes it.
///
/// # Budget
///
/// A retry is made only if its budget pays for it. Functions that name one budget share it: each call earns a
/// fifth of a retry, a hundred at most, and ten retries a second are free. `configure().budget(…)` changes that,
/// `registry().budgets()` tells what is left.
///
/// Inside an attempt of another retry, as in a function that a retried function calls, attempts multiply. There a
/// retry draws on the budget and the time of the one around it, earns nothing for its own and raises an event; with
/// `nested = "once"` it makes one attempt and leaves the rest to the one around it.
///
/// # Order
///
/// Below `#[fallback]`. A `#[timeout]` below limits each attempt, one above limits all. A total time that the
/// waits alone use up is refused.
///
/// # Expansion
///
/// A loop around the body, which stays an `async` block: `?` and `return` end the attempt, not the function.
///
/// # Examples
///
/// ```
/// use resilient_runtime::{attempt, retry};
///
/// #[retry(max = 4, base = "1ms")]
/// async fn quote(sku: &str) -> Result<String, std::io::Error> {
///     if attempt() < 3 {
///         return Err(std::io::Error::other("busy"));
///     }
///     Ok(format!("{sku} at attempt {}", attempt()))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(quote("tea").await.unwrap(), "tea at attempt 3");
/// # }
/// ```
///
/// With a predicate, and an argument that is not to be cloned:
///
/// ```
/// use resilient_runtime::retry;
///
/// #[derive(Debug, PartialEq)]
/// enum StockError {
///     Locked,
///     Unknown,
/// }
///
/// impl StockError {
///     fn is_locked(&self) -> bool {
///         *self == Self::Locked
///     }
/// }
///
/// struct Order {
///     sku: u32,
/// }
///
/// #[retry(when = StockError::is_locked, no_clone(order))]
/// async fn reserve(order: Order) -> Result<(), StockError> {
///     if order.sku == 0 { Err(StockError::Unknown) } else { Ok(()) }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(reserve(Order { sku: 0 }).await, Err(StockError::Unknown));
/// # }
/// ```
///
/// What cannot work is refused:
///
/// ```compile_fail
/// # use resilient_runtime::retry;
/// #[retry(max = 1)] // `max` must be at least 2
/// async fn once() -> Result<(), std::io::Error> {
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn retry(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("retry", args.into(), item.into()).into()
}

/// Stops calling what keeps failing.
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | `name` | text | required | not empty |
/// | `enabled` | `true` or `false` | `true`; otherwise every call passes as if it were not there | |
/// | `mode` | `"enforce"` or `"observe"` | `"enforce"`; to observe is to refuse nothing and tell what would have been | known word |
/// | `failure_threshold` | failures in a row that open it | 5 | at least 1 |
/// | `failure_rate` | share of failures that opens it, instead | none | above 0, at most 1 |
/// | `window` | calls, or a duration, that the share is taken over | – | needs a share; not zero, at most 65 536 calls |
/// | `min_calls` | calls before the share counts | – | not above `window` |
/// | `slow_call`, `slow_rate` | duration and share of slow calls that open it | none | both or none |
/// | `reset_timeout` | duration from open to half-open | `"30s"` | not zero |
/// | `reset_factor` | growth of that time while it keeps failing | 1.0 | at least 1 |
/// | `max_reset_timeout` | duration it grows to | `"5m"` | not below `reset_timeout` |
/// | `half_open_calls` | probes at once | 1 | 1 to 1024 |
/// | `success_threshold` | successes that close it | 2 | at least 1 |
/// | `half_open_timeout` | duration of a probe's lease | `reset_timeout` | not zero |
/// | `ramp` | duration over which it lets everything through again | none | not zero |
/// | `failure_when` | `fn(&Result<T, E>) -> bool`: counts as a failure | by class | captures nothing |
/// | `ignore_when` | `fn(&E) -> bool`: counts as nothing | by class | captures nothing |
/// | `abandoned` | `"ignore"`, `"failure"`: a call that was dropped | `"ignore"` | one of these |
/// | `key` | expression with the arguments in scope: one breaker for each | none | text, an integer, a `bool`, a `char` or an IP address |
/// | `max_keys` | breakers kept | 1000 | needs `key` |
/// | `health` | name of a health check that holds it open while it fails | none | not empty; feature `health` |
/// | `readiness` | what an open breaker means for the program: `"ignore"`, `"degrade"`, `"fail"` | `"ignore"` | one of these; feature `health` |
///
/// # Order
///
/// Below `#[retry]`, so that each attempt counts, and above `#[timeout]`, so that a timeout counts as a
/// failure. Two breakers of one function need different names. Functions that give one name share the breaker.
///
/// # Errors
///
/// A refused call is a `Rejected::CircuitOpen`. Where it can leave the function, the error type needs
/// `From<Rejected>`.
///
/// # Expansion
///
/// A record of the function, which finds the breaker by its name, and a future around the body that counts how it ends.
///
/// # Examples
///
/// ```
/// use resilient_runtime::{Fault, Rejected, circuit_breaker};
///
/// #[circuit_breaker(name = "payments", failure_threshold = 2)]
/// async fn charge() -> Result<(), Fault<&'static str>> {
///     Err(Fault::Failed("down"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert!(matches!(charge().await, Err(Fault::Failed("down"))));
/// assert!(matches!(charge().await, Err(Fault::Failed("down"))));
/// assert!(matches!(charge().await, Err(Fault::Rejected(Rejected::CircuitOpen { .. }))));
/// # }
/// ```
///
/// A share of the calls in a window:
///
/// ```
/// # use resilient_runtime::{Fault, circuit_breaker};
/// #[circuit_breaker(name = "search", failure_rate = 0.5, window = "10s", min_calls = 20)]
/// async fn search(words: &str) -> Result<usize, Fault<&'static str>> {
///     Ok(words.len())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # assert_eq!(search("tea").await.unwrap(), 3);
/// # }
/// ```
///
/// One breaker for each tenant:
///
/// ```
/// # use resilient_runtime::{Fault, circuit_breaker};
/// #[circuit_breaker(name = "tenants", key = tenant)]
/// async fn load(tenant: &str) -> Result<usize, Fault<&'static str>> {
///     Ok(tenant.len())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # assert_eq!(load("a").await.unwrap(), 1);
/// # }
/// ```
#[proc_macro_attribute]
pub fn circuit_breaker(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("circuit_breaker", args.into(), item.into()).into()
}

/// Gives another answer when the function fails.
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | `fn` | see below | this, `value` or `cached` | the call must fit |
/// | `value` | expression of the value, evaluated only when used | this, `fn` or `cached` | its type |
/// | `cached` | alone: the last good value of the same key | this, `fn` or `value` | |
/// | `when` | `fn(&E) -> bool`: fall back on this error | all but answers | captures nothing |
/// | `key` | as in `#[cache]`, for `cached` | all arguments | needs `cached` |
/// | `max_entries` | values kept at once, for `cached` | 1000 | at least 1, needs `cached` |
/// | `max_age` | duration: the oldest value that is an answer, for `cached` | no limit | not zero, at most a day, needs `cached` |
/// | `name` | text | path of the function | not empty |
/// | `enabled` | `true` or `false` | `true`; otherwise errors are passed on, and refusals still answered | |
///
/// `fn` is one of
///
/// * `fn = path`: called with all parameters, and with the receiver when the path starts with `Self::`;
/// * `fn = path(a, err)`: any call, where `err` is the final error;
/// * `fn = [a, b]`: a chain, the next one on `Err`; the last error is returned.
///
/// With `cached` each good value is kept, and is the answer when there is none; before the first one, and when it is
/// older than `max_age`, the error goes out. A `Permanent` error makes the fallback forget it.
///
/// It may be async or not, and returns what the function returns. Without `when`, an error that is an answer in
/// itself (`Permanent` or `Ignored`) is passed on; a refusal of a policy always falls back.
///
/// # Arguments
///
/// The fallback gets the originals. An owned argument that the body uses up too must be `Clone`.
///
/// # Order
///
/// On top. Below `#[retry]` it needs a `when`, or nothing would be left to retry.
///
/// # Expansion
///
/// A `match` on what the layers below answered.
///
/// # Examples
///
/// ```
/// use resilient_runtime::fallback;
///
/// #[fallback(fn = cached)]
/// async fn quote(sku: String) -> Result<String, std::io::Error> {
///     Err(std::io::Error::other(format!("no answer for {sku}")))
/// }
///
/// fn cached(sku: String) -> Result<String, std::io::Error> {
///     Ok(format!("yesterday's {sku}"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(quote("tea".into()).await.unwrap(), "yesterday's tea");
/// # }
/// ```
///
/// With the error, and a chain:
///
/// ```
/// # use resilient_runtime::fallback;
/// #[fallback(fn = [replica(sku), explain(err)])]
/// async fn stock(sku: u32, precise: bool) -> Result<String, String> {
///     Err(format!("{sku} is not counted ({precise})"))
/// }
///
/// async fn replica(sku: u32) -> Result<String, String> {
///     Err(format!("no replica has {sku}"))
/// }
///
/// fn explain(err: String) -> Result<String, String> {
///     Ok(format!("unknown: {err}"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(stock(7, true).await.unwrap(), "unknown: no replica has 7");
/// # }
/// ```
///
/// With what was good the last time:
///
/// ```
/// # use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
/// # use resilient_runtime::fallback;
/// static UP: AtomicBool = AtomicBool::new(true);
///
/// #[fallback(cached, max_age = "1h")]
/// async fn quote(sku: &str) -> Result<usize, String> {
///     if UP.load(Relaxed) { Ok(sku.len()) } else { Err("no answer".into()) }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(quote("tea").await, Ok(3));
/// UP.store(false, Relaxed);
/// assert_eq!(quote("tea").await, Ok(3));
/// assert_eq!(quote("milk").await, Err("no answer".into()));
/// # }
/// ```
///
/// With a value:
///
/// ```
/// # use resilient_runtime::fallback;
/// #[fallback(value = Vec::new())]
/// async fn recommendations() -> Result<Vec<u32>, String> {
///     Err("busy".into())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(recommendations().await, Ok(Vec::new()));
/// # }
/// ```
#[proc_macro_attribute]
pub fn fallback(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("fallback", args.into(), item.into()).into()
}

/// Starts a second attempt when the first is slow or fails.
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | `after` | duration, or a quantile from `"p50"` to `"p99.9"` | `"p95"` | at most a day |
/// | `max` | attempts, the first included | 2 | 2 to 16 |
/// | `when` | `fn(&E) -> bool`: start another attempt for this error | by class | captures nothing |
/// | `when_ok` | `fn(&T) -> bool`: start another attempt for this value | never | captures nothing |
/// | `budget` | name of a budget, or `"none"` | `"default"` | not empty |
/// | `no_clone(a, b)` | arguments that the body only borrows | none | names of parameters |
/// | `name` | text | path of the function | not empty |
/// | `enabled` | `true` or `false` | `true`; otherwise every call passes as if it were not there | |
///
/// An attempt that takes longer than `after` gets another one beside it, until there are `max`; one that fails gets
/// it at once. The first good answer ends the others where they stand, before the call returns. When none is good, the
/// answer of the first is returned: its error, or the value that `when_ok` did not want. An error that is an
/// answer (`Permanent` or `Ignored`) is a good one. After a `Throttled` error no attempt starts before the
/// time it asks for, and after a refusal of a policy below, but for a timeout, none at all.
///
/// A quantile is that of the last thousand first attempts that succeeded, a millisecond at least: with `"p95"` one
/// call in twenty is slow. Nothing is slow before the first twenty, or as many as it takes for one to lie above.
///
/// Each further attempt draws on the budget, which retries may share: when that is empty, none starts.
///
/// # Arguments
///
/// The attempts run side by side, so they share what they borrow: `&mut` arguments and a `&mut self` are refused.
/// Each has its own copy of the owned arguments that the body mentions, which must be `Clone`, or stand in
/// `no_clone(…)`. The body has to be safe to run twice: what it writes may be written by each attempt.
///
/// # Order
///
/// Below `#[retry]`, `#[coalesce]` and `#[circuit_breaker]`, above `#[timeout]`, whose time each attempt then
/// has; `after` is shorter than the timeouts around it. A `#[circuit_breaker]` below counts the attempts that
/// lose as abandoned.
///
/// # Cancel safety
///
/// A call that is dropped drops all its attempts. Nothing is spawned.
///
/// # Expansion
///
/// A closure that makes the attempts, and a future that polls them; each further attempt takes an allocation.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{attempt, hedge};
///
/// #[hedge(after = "20ms")]
/// async fn find(words: &str) -> Result<String, std::io::Error> {
///     if attempt() == 1 {
///         tokio::time::sleep(Duration::from_secs(60)).await;
///     }
///     Ok(format!("{words}, found by attempt {}", attempt()))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(find("teapots").await.unwrap(), "teapots, found by attempt 2");
/// # }
/// ```
///
/// What attempts cannot share is refused:
///
/// ```compile_fail
/// # use resilient_runtime::hedge;
/// #[hedge(after = "20ms")]
/// async fn next(counter: &mut u32) -> Result<u32, std::io::Error> { // take `&AtomicU32`
///     *counter += 1;
///     Ok(*counter)
/// }
/// ```
#[proc_macro_attribute]
pub fn hedge(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("hedge", args.into(), item.into()).into()
}

/// Caps how many calls run at once.
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | `name` | text | required | not empty |
/// | `enabled` | `true` or `false` | `true`; otherwise every call passes as if it were not there | |
/// | `mode` | `"enforce"` or `"observe"` | `"enforce"`; to observe is to refuse nothing and tell what would have been | known word |
/// | `max_concurrent` | count | required | at least 1 |
/// | `max_wait` | duration | `"0s"`: refused at once | at most a day |
/// | `max_queue` | count | no limit | at least 1, with `max_wait` |
///
/// All functions that name a bulkhead share its places. Calls beyond `max_concurrent` wait in the order
/// they came, each for `max_wait` at most and no longer than to its deadline. A call that would wait
/// although the code around it has a place in the same bulkhead is refused, since it might wait for itself;
/// and so is one with more than eight such policies around it, which are too many to tell apart.
///
/// # Order
///
/// At the bottom, below `#[timeout]`, whose time then counts from the queue on; a retry above it leaves its
/// place during the wait and comes back at the end of the queue. A `#[circuit_breaker]` above it does not
/// count its refusals.
///
/// # Errors
///
/// A call without a place in time is a `Rejected::BulkheadFull`. Where it can leave the function, the error
/// type needs `From<Rejected>`; `std::io::Error`, `String` and boxed errors have it.
///
/// # Cancel safety
///
/// A call that is dropped gives its place back, or leaves the queue.
///
/// # Expansion
///
/// A future around the body.
///
/// # Examples
///
/// ```
/// use resilient_runtime::{Rejected, bulkhead};
///
/// #[bulkhead(name = "disk", max_concurrent = 1)]
/// async fn read() -> Result<u32, Rejected> {
///     tokio::task::yield_now().await;
///     Ok(42)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (first, second) = tokio::join!(read(), read());
/// assert_eq!(first, Ok(42));
/// assert_eq!(second, Err(Rejected::BulkheadFull { name: "disk" }));
/// # }
/// ```
///
/// With a queue:
///
/// ```
/// use resilient_runtime::{Rejected, bulkhead};
///
/// #[bulkhead(name = "pool", max_concurrent = 1, max_wait = "1s", max_queue = 10)]
/// async fn query() -> Result<u32, Rejected> {
///     tokio::task::yield_now().await;
///     Ok(42)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(tokio::join!(query(), query()), (Ok(42), Ok(42)));
/// # }
/// ```
///
/// A queue in which nobody may wait is a mistake:
///
/// ```compile_fail
/// # use resilient_runtime::bulkhead;
/// #[bulkhead(name = "pool", max_concurrent = 1, max_queue = 10)] // needs `max_wait`
/// async fn query() -> Result<(), std::io::Error> {
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn bulkhead(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("bulkhead", args.into(), item.into()).into()
}

/// Refuses the least important calls first when there are too many.
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | `name` | text | required | not empty |
/// | `enabled` | `true` or `false` | `true`; otherwise every call passes as if it were not there | |
/// | `priority` | `"critical"`, `"important"`, `"normal"`, `"optional"` | `"normal"` | one of them |
/// | `mode` | `"concurrency"`, `"throttle"` | `"concurrency"` | known word |
/// | | or `"enforce"`, `"observe"` | `"enforce"`; to observe is to refuse nothing and tell what would have been | |
/// | `window` | duration | `"100ms"`; throttling `"2m"` | above zero, at most a day |
/// | `readiness` | what an overload means for the program: `"ignore"`, `"degrade"`, `"fail"` | `"ignore"` | one of these; feature `health` |
///
/// While calls are told by concurrency:
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | `algorithm` | `"gradient"`, `"aimd"` | `"gradient"` | one of them |
/// | `initial_limit` | count | 20 | at least 1 |
/// | `min_limit` | count | 4 | at least 1, at most `initial_limit` |
/// | `max_limit` | count | 1000 | at least `initial_limit` |
/// | `queue_time` | duration | as long as a call takes alone | above zero, at most a day |
/// | `optional_at` | share | 0.6 | above 0, at most 1 |
/// | `normal_at` | share | 0.8 | at least `optional_at` |
/// | `important_at` | share | 0.9 | at least `normal_at` |
/// | `critical_at` | factor | 2.0 | at least 1 |
///
/// While throttling:
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | `k` | factor | 2.0 | at least 1 |
/// | `min_calls` | count | 10 | at least 1 |
///
/// All functions that name a load shedder share it; `priority` is each function's own. Where the task has a
/// priority, because `with_priority` gave it one, that one holds, for it tells what the call is for: a request
/// handler says it once.
///
/// # Concurrency
///
/// The load shedder learns how many calls may be under way. Calls that queue behind one another take longer than
/// those that do not: it lowers its limit when calls take longer than they do alone, and may queue, and raises
/// it while they do not and the limit is in use. How long a call takes alone, its baseline, is seen whenever few
/// calls are under way. Where the load never ends, it is measured behind a lower limit, for a few calls' time
/// every half a minute. Timeouts and answers that ask for fewer calls lower the limit too, other failures say
/// nothing about it.
///
/// Optional calls are refused from `optional_at` of the limit on, normal ones from `normal_at` on, every other
/// important one from `important_at` on, and all of them at the limit. Critical ones may go `critical_at` times
/// as far.
///
/// # Throttling
///
/// On the side of the client, in front of a dependency whose limit nobody here can know: of the calls in the
/// window the share `max(0, (requests - k * accepts) / (requests + 1))` is refused, by chance, and the optional
/// ones first. A call is accepted unless it fails; those that were refused here are requests too.
///
/// # Order
///
/// Above `#[timeout]`, whose refusals it has to see; below `#[retry]`, so that an attempt is a call and a wait
/// is none. A `#[circuit_breaker]` above it does not count its refusals.
///
/// # Errors
///
/// A refused call is a `Rejected::Overloaded`. Where it can leave the function, the error type needs
/// `From<Rejected>`; `std::io::Error`, `String` and boxed errors have it.
///
/// # Cancel safety
///
/// A call that is dropped is no longer under way. It counts against the limit if it took too long.
///
/// # Expansion
///
/// A future around the body.
///
/// # Examples
///
/// ```
/// use resilient_runtime::{Rejected, load_shed};
///
/// #[load_shed(name = "shop", priority = "critical")]
/// async fn pay(cents: u64) -> Result<u64, Rejected> {
///     Ok(cents)
/// }
///
/// #[load_shed(name = "shop", priority = "optional")]
/// async fn recommend(sku: &str) -> Result<Vec<String>, Rejected> {
///     Ok(vec![format!("more {sku}")])
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(pay(250).await, Ok(250));
/// assert_eq!(recommend("tea").await.unwrap(), ["more tea"]);
/// # }
/// ```
///
/// In front of somebody else's service:
///
/// ```
/// use resilient_runtime::load_shed;
///
/// #[load_shed(name = "maps", mode = "throttle", k = 1.5, window = "1m")]
/// async fn route(to: &str) -> std::io::Result<String> {
///     Ok(format!("straight on to {to}"))
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # assert!(route("Oslo").await.is_ok());
/// # }
/// ```
///
/// Priorities that are refused in another order are a mistake:
///
/// ```compile_fail
/// # use resilient_runtime::load_shed;
/// #[load_shed(name = "shop", optional_at = 0.9, normal_at = 0.5)]
/// async fn price() -> Result<(), std::io::Error> {
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn load_shed(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("load_shed", args.into(), item.into()).into()
}

/// Caps how many calls start in a time.
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | `name` | text | **required** | not empty |
/// | `enabled` | `true` or `false` | `true`; otherwise every call passes as if it were not there | |
/// | `mode` | `"enforce"` or `"observe"` | `"enforce"`; to observe is to refuse nothing and tell what would have been | known word |
/// | `rate` | rate, or a `const` of type `Rate`: calls in a time | **required** | from one in 366 days to 4 294 967 295 a second |
/// | `burst` | whole number: calls that may start at once after a pause | those of one period | at least 1 |
/// | `max_wait` | duration: time a call waits for its turn | `"0s"`: it is refused at once | at most a day |
/// | `key` | expression: calls of one key share their permits | all calls share | text, an integer, a `bool`, a `char` or an IP address |
/// | `max_keys` | whole number: keys with permits of their own | 10000 | needs `key` |
///
/// A rate is a number and a time: `"100/s"`, `"5/250ms"`, `"1/365d"`; units ns us ms s m h d.
///
/// In any stretch of time at most `burst` calls start, and those of the rate. The rate is kept exactly: three
/// a second are 10 800 an hour. All functions that name a limit share its permits.
///
/// A call beyond that is refused and told when to come back, or waits for its turn in the order of arrival, if
/// that comes within `max_wait` and the deadline of the call. A refused call does not run, and no breaker counts
/// it as a failure; a `#[retry]` above waits as long as it was told. A call that is dropped while it waits uses
/// no permit: its turn goes to whoever comes next.
///
/// # Keys
///
/// The expression sees the arguments, before the body does. Each key has its own permits, waits and refusals. At
/// most `max_keys` are told apart at once; one whose burst is whole again gives its place to another, and when
/// there is none, further keys share one allowance. So a flood of keys resets nobody's.
///
/// # Order
///
/// Under the breaker and above the timeout: time in the line is then not the attempt's. Between calls at once,
/// which a `#[bulkhead]` caps, and calls in a time there is no order that is wrong.
///
/// # Expansion
///
/// A struct around the body's future: no allocation and no lock for a call that finds a permit.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Rejected, rate_limit};
///
/// #[rate_limit(name = "partner", rate = "2/m", burst = 1)]
/// async fn ask(question: &str) -> Result<usize, Rejected> {
///     Ok(question.len())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(ask("why?").await, Ok(4));
/// let refused = ask("why not?").await.unwrap_err();
/// assert!(refused.retry_after() > Some(Duration::from_secs(29)));
/// # }
/// ```
///
/// With a wait, and for each tenant:
///
/// ```
/// # use std::time::Duration;
/// # use resilient_runtime::{Rejected, rate_limit};
/// # use tokio::time::Instant;
/// #[rate_limit(name = "tenants", rate = "10/s", burst = 1, max_wait = "1s", key = tenant)]
/// async fn load(tenant: &str) -> Result<(), Rejected> {
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let start = Instant::now();
/// let (first, second, other) = tokio::join!(load("acme"), load("acme"), load("brand"));
/// assert!(first.is_ok() && second.is_ok() && other.is_ok());
/// assert!(start.elapsed() >= Duration::from_millis(100));
/// # }
/// ```
///
/// What makes no sense does not compile:
///
/// ```compile_fail
/// # use resilient_runtime::rate_limit;
/// #[rate_limit(name = "partner", rate = "100")] // in which time?
/// async fn ask() -> Result<(), resilient_runtime::Rejected> {
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn rate_limit(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("rate_limit", args.into(), item.into()).into()
}

/// Answers again what was answered before.
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | `ttl` | duration for which a value is fresh | required | not zero, at most a day |
/// | `stale_if_error` | duration beyond `ttl` for which a value stands in for a failure | none | not zero, at most a day |
/// | `stale_while_revalidate` | duration beyond `ttl` in which one caller renews a value for all | none | not zero, at most a day |
/// | `max_entries` | values kept at once | 1000 | at least 1 |
/// | `key` | expression with the arguments in scope, or a tuple of them | all arguments | |
/// | `name` | text | path of the function | not empty |
/// | `enabled` | `true` or `false` | `true`; otherwise every call passes as if it were not there | |
///
/// An error is never kept. When `max_entries` is reached, the value that was used least recently goes.
/// Functions that give one name share this bound, the statistics, and what
/// `registry().cache(name)` forgets, but no values; each instance of a generic function has its own.
///
/// # Key
///
/// Two calls of one key get one value. Every part of it is `Hash + Eq + Clone`; a reference is looked through,
/// so that a `&str` is a key without a copy where a value is found. A method needs a `key`, because only its
/// author knows what of `self` makes a difference.
///
/// # Stale values
///
/// What is past its `ttl` stands in for a failure if `stale_if_error` allows it: for a refusal of a layer below,
/// and for an error that is no answer in itself. A `Permanent` error is one, is passed on, and makes the cache
/// forget the value.
///
/// With `stale_while_revalidate` the first caller that finds a value past its `ttl` renews it and waits for that;
/// until it is done the others get the old one at once, and if it fails it gets that too. The body may borrow
/// from its caller, so it cannot be moved to a task of its own: who does not want to wait either spawns a call.
///
/// # Order
///
/// On top, or right below `#[fallback]`. Above a fallback it keeps the fallback's answers as well; with
/// `stale_if_error` it is refused there, as below `#[retry]`. A hit touches no layer below. Calls that miss at
/// once all run: `#[coalesce]` below lets one of them.
///
/// # Cancel safety
///
/// A call that is dropped keeps nothing, and leaves a value it was to renew to the next one.
///
/// # Expansion
///
/// A `match` on what is found, with the layers below in the arm of a miss.
///
/// # Examples
///
/// ```
/// use resilient_runtime::{Fault, cache, registry};
///
/// #[cache(ttl = "30s", stale_if_error = "10m", name = "quotes")]
/// async fn quote(sku: &str) -> Result<usize, Fault<&'static str>> {
///     Ok(sku.len())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(quote("tea").await, Ok(3));
/// assert_eq!(quote("tea").await, Ok(3));
/// let quotes = registry().cache("quotes").expect("a function uses it");
/// assert_eq!((quotes.snapshot().misses, quotes.snapshot().hits), (1, 1));
/// quotes.invalidate("tea");
/// # }
/// ```
///
/// A method, whose key names what makes a difference:
///
/// ```
/// use resilient_runtime::{Fault, cache};
///
/// struct Shop {
///     tenant: u32,
/// }
///
/// impl Shop {
///     #[cache(ttl = "30s", key = (self.tenant, sku))]
///     async fn quote(&self, sku: &str) -> Result<usize, Fault<&'static str>> {
///         Ok(sku.len())
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # assert_eq!(Shop { tenant: 1 }.quote("tea").await, Ok(3));
/// # }
/// ```
#[cfg(feature = "cache")]
#[proc_macro_attribute]
pub fn cache(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("cache", args.into(), item.into()).into()
}

/// Lets one call run for all that ask the same at once.
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | `key` | expression with the arguments in scope, or a tuple of them | all arguments | |
/// | `name` | text | path of the function | not empty |
/// | `enabled` | `true` or `false` | `true`; otherwise every call passes as if it were not there | |
///
/// The first call of a key leads; those that come while it runs wait for its answer and get a clone. Nothing is
/// kept: the call after that runs again. What can be a key is told under `#[cache]`. Functions that give one
/// name share the statistics and no answers; each instance of a generic function has its own.
///
/// # Errors
///
/// An error that is `Clone + Send + Sync` goes to all who wait, and so does a refusal from below. Of an
/// error that is not, such as `std::io::Error`, each caller needs its own: the next one runs, so while
/// it fails a crowd is served one after the other. One of your own that is `Clone`, with the source in an
/// `Arc`, goes to all.
///
/// A refusal that may concern the call that runs alone stays with it, and the next one runs: its deadline passed,
/// or would have before its turn at a rate limit, or it was too unimportant for a load shedder.
///
/// A call whose deadline passes while it waits is a `Rejected::TimedOut`, where no timeout around it ends it
/// then. The error type needs `From<Rejected>` for that; `std::io::Error`, `String` and boxed errors have it.
///
/// A call that might wait for its own caller runs by itself: where the code around it leads a flight of this
/// policy, or one that such a flight waits for, as with two functions that ask each other; and where more than
/// eight policies are around it, which are too many to tell apart. Only spawned work without `inherit` is not
/// seen to be part of its caller.
///
/// # Order
///
/// Below `#[cache]`, above what is to run once: `#[retry]` below retries for all who wait, `#[timeout]` above
/// bounds each wait, below it bounds the call that runs.
///
/// # Cancel safety
///
/// Dropping a call that waits concerns nobody else. Dropping the one that runs, or its panic, lets the first
/// that waits run.
///
/// # Expansion
///
/// A future around the body.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use resilient_runtime::{Fault, coalesce};
///
/// static ASKED: AtomicU32 = AtomicU32::new(0);
///
/// #[coalesce]
/// async fn quote(sku: &str) -> Result<usize, Fault<&'static str>> {
///     ASKED.fetch_add(1, Ordering::Relaxed);
///     tokio::task::yield_now().await;
///     Ok(sku.len())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(tokio::join!(quote("tea"), quote("tea"), quote("milk")), (Ok(3), Ok(3), Ok(4)));
/// assert_eq!(ASKED.load(Ordering::Relaxed), 2);
/// # }
/// ```
#[proc_macro_attribute]
pub fn coalesce(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("coalesce", args.into(), item.into()).into()
}

/// Gives up after a time.
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | none | duration, alone: `#[timeout("2s")]` | required | above zero, at most a day |
/// | `name` | text | path of the function | not empty |
/// | `enabled` | `true` or `false` | `true`; otherwise every call passes as if it were not there | |
/// | `mode` | `"enforce"` or `"observe"` | `"enforce"`; to observe is to refuse nothing and tell what would have been | known word |
///
/// The time counts from when the body first has to wait, or asks for its `deadline()`; a body that is ready at
/// once arms no timer.
///
/// # Order
///
/// Below `#[retry]` it limits each attempt, above it all of them; both may stand, the one below being shorter.
///
/// # Errors
///
/// A call that takes longer is a `Rejected::TimedOut`. Where it can leave the function, the error type needs
/// `From<Rejected>`; `std::io::Error`, `String` and boxed errors have it.
///
/// # Cancel safety
///
/// The body is dropped where it waits.
///
/// # Expansion
///
/// A future around the body.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::timeout;
///
/// #[timeout("10ms")]
/// async fn report(wait: Duration) -> Result<&'static str, std::io::Error> {
///     tokio::time::sleep(wait).await;
///     Ok("done")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(report(Duration::ZERO).await.unwrap(), "done");
/// assert_eq!(report(Duration::from_secs(9)).await.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
/// # }
/// ```
///
/// One for each attempt, one for all:
///
/// ```
/// use resilient_runtime::{Fault, attempt, retry, timeout};
///
/// #[timeout("5s")]
/// #[retry(base = "1ms")]
/// #[timeout("10ms")]
/// async fn fetch() -> Result<u32, Fault<&'static str>> {
///     if attempt() == 1 {
///         std::future::pending::<()>().await;
///     }
///     Ok(attempt())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(fetch().await.unwrap(), 2);
/// # }
/// ```
///
/// A number alone could be anything:
///
/// ```compile_fail
/// # use resilient_runtime::timeout;
/// #[timeout(250)] // a duration needs a unit: write "250ms" or "250s"
/// async fn fetch() -> Result<(), std::io::Error> {
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn timeout(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("timeout", args.into(), item.into()).into()
}

/// Runs an async function in the background, to check that something is there.
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | `name` | text | required | not empty |
/// | `critical` | stands alone: without it the program is not ready | not critical | |
/// | `interval` | duration from the end of one run to the next one, at most | `"10s"` | above zero |
/// | `timeout` | duration one run may take | `"1s"` | above zero |
///
/// The function takes nothing and returns a `Result`, whose `Err` is a failed run. A run that panics or takes
/// longer than `timeout` has failed too. It stays callable as it is. `health().start()` starts all checks of the
/// program; until then, each of them is unknown. No two checks may have one name.
///
/// It is no layer: it may stand anywhere among the other attributes, which guard each run as they guard any
/// call. A check counts as failed when their answer is an error.
///
/// ```
/// use resilient_runtime::{HealthStatus, health, health_check};
///
/// #[health_check(name = "database", critical, interval = "5s")]
/// async fn database() -> std::io::Result<()> {
///     tokio::net::TcpStream::connect("127.0.0.1:1").await.map(drop)
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), resilient_runtime::HealthError> {
/// assert_eq!(health().ready().status, HealthStatus::Unknown);
/// let _checks = health().start()?;
/// tokio::time::sleep(std::time::Duration::from_secs(1)).await;
/// assert_eq!(health().ready().http_status(), 503);
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "health")]
#[proc_macro_attribute]
pub fn health_check(args: TokenStream, item: TokenStream) -> TokenStream {
    health_check::expand(args.into(), item.into()).into()
}

/// Guards an async function by a stack that the configuration composes.
///
/// | key | type | default | checked when compiling |
/// |---|---|---|---|
/// | none | text, alone: `#[resilient("payments")]` | required | not empty |
/// | `no_clone(a, b)` | arguments that the body only borrows | none | names of parameters |
///
/// The stack is a retry, a circuit breaker, a rate limit, a timeout for each attempt and a bulkhead, in this
/// order, all of them under the one name. Each is off until the configuration says something of it, so without
/// any the function runs bare; what it says under the name switches that policy on, but for `enabled = false`:
///
/// ```toml
/// [policy.payments]
/// retry = { max = 4, base = "50ms" }
/// timeout = { limit = "800ms" }
///
/// [policy.payments.circuit_breaker]
/// failure_rate = 0.5
/// window = "10s"
/// ```
///
/// `[retry.payments]` and `configure().retry("payments", …)` say the same. Functions that give one name share
/// its breaker, its rate and its places; if another attribute gives the name to a policy of its own, that one's
/// settings hold for both.
///
/// # Arguments
///
/// As for `#[retry]`, which may be switched on: each attempt gets its own copy of the owned arguments that the
/// body mentions, unless they stand in `no_clone(…)`.
///
/// # Order
///
/// Below `#[fallback]`, `#[cache]` and `#[coalesce]`, above `#[hedge]`; a `#[timeout]` above it limits all
/// attempts. Beside it no other `#[retry]`, and other policies under other names.
///
/// # Errors
///
/// Those of its policies: the error type needs `From<Rejected>`; `std::io::Error`, `String` and boxed errors have
/// it. A configuration that switches on what it gives nothing to go by, such as a bulkhead without
/// `max_concurrent`, is refused by `install()`.
///
/// # Expansion
///
/// All five layers, whatever the configuration says.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{attempt, configure, resilient};
///
/// #[resilient("orders")]
/// async fn charge(order: u32) -> Result<u32, std::io::Error> {
///     if attempt() < 3 {
///         return Err(std::io::Error::other("busy"));
///     }
///     Ok(order)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), resilient_runtime::ConfigError> {
/// assert!(charge(7).await.is_err(), "one attempt");
///
/// configure()
///     .retry("orders", |r| r.max(4).base(Duration::from_millis(1)))
///     .timeout("orders", |t| t.limit(Duration::from_millis(800)))
///     .install()?;
/// assert_eq!(charge(7).await.unwrap(), 7);
/// # Ok(())
/// # }
/// ```
#[proc_macro_attribute]
pub fn resilient(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("resilient", args.into(), item.into()).into()
}

/// Tells the policies what an error means, by an attribute on each variant.
///
/// | attribute | class | retry | breaker | fallback |
/// |---|---|---|---|---|
/// | `#[transient]` | may work next time | tries again | a failure | steps in |
/// | `#[throttled]` | was asked to slow down | tries again | a failure | steps in |
/// | `#[throttled(after = field)]` | … and for how long | not before that | a failure | steps in |
/// | `#[permanent]` | will be the same next time | ends | a success: it answered | passes it on |
/// | `#[ignored]` | says nothing about the dependency | ends | not counted | passes it on |
/// | `#[transparent]` | that of the one field inside | | | |
/// | none | unknown | tries again | a failure | steps in |
///
/// `field` is the name of a field or, without names, its index; it holds a `Duration` or an
/// `Option<Duration>`. A variant that carries a `Rejected` is `#[transparent]`, so that annotated
/// functions which call annotated functions see through it. On a struct the attribute stands on
/// the struct itself. `#[classify(crate = ::path)]` on the type names the runtime where it goes by
/// another name.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Class, Classify, Rejected};
///
/// #[derive(Debug, Classify)]
/// enum PaymentError {
///     #[transient]
///     Unreachable(std::io::Error),
///     #[throttled(after = retry_after)]
///     Busy { retry_after: Option<Duration> },
///     #[permanent]
///     Declined,
///     #[transparent]
///     Refused(Rejected),
/// }
///
/// impl From<Rejected> for PaymentError {
///     fn from(rejected: Rejected) -> Self {
///         Self::Refused(rejected)
///     }
/// }
///
/// let busy = PaymentError::Busy { retry_after: None };
/// assert_eq!(busy.classify(), Class::Throttled { after: None });
/// assert_eq!(PaymentError::Declined.classify(), Class::Permanent);
/// ```
#[proc_macro_derive(Classify, attributes(transient, permanent, ignored, throttled, transparent, classify))]
pub fn classify(input: TokenStream) -> TokenStream {
    classify::derive(input.into()).into()
}

#[cfg(feature = "config")]
#[doc(hidden)]
#[proc_macro]
pub fn __include_config(args: TokenStream) -> TokenStream {
    include_config::expand(&args.into()).into()
}

#[doc(hidden)]
#[proc_macro_attribute]
pub fn __stack(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::collected(args.into(), item.into()).into()
}

#[doc(hidden)]
#[proc_macro_attribute]
pub fn __applied(_args: TokenStream, item: TokenStream) -> TokenStream {
    item
}
