//! `#[coalesce]` as a user meets it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::future::{Future, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use resilient_runtime::{
    Coalesce, CoalesceSnapshot, EventKind, Fault, Priority, Rejected, Timeout, bulkhead, circuit_breaker,
    coalesce, inherit, load_shed, rate_limit, registry, retry, timeout, with_priority,
};
use tokio::task::{JoinHandle, JoinSet, yield_now};
use tokio::time::{Instant, sleep, timeout_at};

use self::common::{settle, spawned};

const SECOND: Duration = Duration::from_secs(1);

type Answer = Result<u32, Fault<&'static str>>;

fn of(name: &str) -> CoalesceSnapshot {
    registry().coalesce(name).unwrap().snapshot()
}

mod sharing {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_a_key_leaves_within_itself_stays_in_it() {
        #[coalesce(key = (
            sku.chars().map(|it| { it.to_digit(10)?; Some(it) }).count(),
            'found: { if sku.is_empty() { break 'found 0 } 1 },
            loop { if sku.len() < 9 { break } },
        ))]
        async fn sized(sku: &str) -> Answer {
            yield_now().await;
            Ok(u32::try_from(sku.len()).unwrap())
        }
        assert_eq!(sized("tea").await, Ok(3));
    }

    #[tokio::test(start_paused = true)]
    async fn calls_at_once_for_one_key_run_once() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        #[coalesce(name = "quotes")]
        async fn quote(sku: &str) -> Answer {
            sleep(SECOND).await;
            Ok(RUNS.fetch_add(1, SeqCst) + u32::try_from(sku.len()).unwrap())
        }
        let mut calls: JoinSet<_> = (0..1_000).map(|_| quote("tea")).collect();
        while let Some(answer) = calls.join_next().await {
            assert_eq!(answer.unwrap(), Ok(3));
        }
        assert_eq!(RUNS.load(SeqCst), 1);
        let seen = of("quotes");
        assert_eq!((seen.flights, seen.joined, seen.in_flight, seen.waiting), (1, 999, 0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_was_answered_and_is_polled_again_does_not_run() {
        static FLIGHTS: Coalesce = Coalesce::new("answered");
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let run = || async {
            sleep(SECOND).await;
            Answer::Ok(RUNS.fetch_add(1, SeqCst))
        };
        let (mut leads, mut waits) =
            (Box::pin(FLIGHTS.call("tea", run())), Box::pin(FLIGHTS.call("tea", run())));
        assert!(futures::poll!(leads.as_mut()).is_pending() && futures::poll!(waits.as_mut()).is_pending());
        assert_eq!((leads.await, waits.as_mut().await), (Ok(0), Ok(0)));
        assert!(tokio::time::timeout(SECOND * 5, waits).await.is_err(), "it stays pending");
        assert_eq!(RUNS.load(SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_after_the_answer_runs_again() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        #[coalesce]
        async fn quote(_sku: u32) -> Answer {
            Ok(RUNS.fetch_add(1, SeqCst))
        }
        assert_eq!((quote(1).await, quote(1).await), (Ok(0), Ok(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn calls_with_other_arguments_run_beside_each_other() {
        #[coalesce(name = "pairs")]
        async fn pair(a: u32, b: String) -> Result<String, Fault<()>> {
            sleep(SECOND).await;
            Ok(format!("{a}{b}"))
        }
        let start = Instant::now();
        let (one, two, three) = tokio::join!(pair(1, "a".into()), pair(1, "b".into()), pair(2, "a".into()));
        assert_eq!((one.unwrap(), two.unwrap(), three.unwrap()), ("1a".into(), "1b".into(), "2a".into()));
        assert_eq!((start.elapsed(), of("pairs").flights), (SECOND, 3));
    }

    struct Shop {
        tenant: u32,
    }
    impl Shop {
        #[coalesce(name = "shop", key = (self.tenant, sku))]
        async fn quote(&self, sku: &str, _trace: f64) -> Answer {
            yield_now().await;
            Ok(self.tenant + u32::try_from(sku.len()).unwrap())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_says_what_makes_a_difference() {
        let (one, two) = (Shop { tenant: 1 }, Shop { tenant: 2 });
        let (a, b, c) = tokio::join!(one.quote("tea", 0.5), one.quote("tea", 0.7), two.quote("tea", 0.5));
        assert_eq!((a, b, c), (Ok(4), Ok(4), Ok(5)));
        assert_eq!((of("shop").flights, of("shop").joined), (2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_function_without_arguments_has_one_key() {
        #[coalesce(name = "only")]
        async fn only() -> Answer {
            yield_now().await;
            Ok(7)
        }
        assert_eq!(tokio::join!(only(), only()), (Ok(7), Ok(7)));
        assert_eq!(of("only").flights, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn functions_that_share_a_name_share_no_answers() {
        #[coalesce(name = "shared")]
        async fn one(_id: u32) -> Answer {
            yield_now().await;
            Ok(1)
        }
        #[coalesce(name = "shared")]
        async fn two(_id: u32) -> Answer {
            yield_now().await;
            Ok(2)
        }
        assert_eq!(tokio::join!(one(7), two(7)), (Ok(1), Ok(2)));
        assert_eq!((of("shared").flights, of("shared").joined), (2, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn instances_of_a_generic_function_share_no_answers() {
        trait Table {
            const ROWS: u32;
        }
        struct Users;
        struct Orders;
        impl Table for Users {
            const ROWS: u32 = 1;
        }
        impl Table for Orders {
            const ROWS: u32 = 2;
        }
        #[coalesce]
        async fn rows<T: Table>(_shard: u32) -> Answer {
            yield_now().await;
            Ok(T::ROWS)
        }
        assert_eq!(tokio::join!(rows::<Users>(7), rows::<Orders>(7)), (Ok(1), Ok(2)));
    }
}

mod failing {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_error_that_can_be_cloned_goes_to_all() {
        #[coalesce(name = "down")]
        async fn down() -> Answer {
            yield_now().await;
            Err(Fault::Failed("down"))
        }
        let failed = Err(Fault::Failed("down"));
        assert_eq!(tokio::join!(down(), down()), (failed.clone(), failed));
        assert_eq!(of("down").flights, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_cannot_be_cloned_lets_the_next_one_run() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        #[coalesce(name = "io")]
        async fn io() -> std::io::Result<u32> {
            yield_now().await;
            match RUNS.fetch_add(1, SeqCst) {
                0 => Err(std::io::Error::other("first")),
                run => Ok(run),
            }
        }
        let (first, second, third) = tokio::join!(io(), io(), io());
        assert_eq!((first.unwrap_err().to_string(), second.unwrap(), third.unwrap()), ("first".into(), 1, 1));
        assert_eq!((of("io").flights, of("io").handed_over), (2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_from_below_goes_to_all() {
        #[coalesce(name = "refused")]
        #[timeout("1s", name = "below")]
        async fn refused() -> Result<u32, Fault<std::io::Error>> {
            sleep(SECOND * 9).await;
            Ok(7)
        }
        let (first, second) = tokio::join!(refused(), refused());
        let late = Rejected::TimedOut { name: "below", limit: SECOND };
        assert_eq!(
            (first.unwrap_err().rejected(), second.unwrap_err().rejected()),
            (Some(&late), Some(&late))
        );
        assert_eq!(of("refused").flights, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_that_is_dropped_hands_over() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        #[coalesce(name = "dropped")]
        async fn dropped() -> Answer {
            let run = RUNS.fetch_add(1, SeqCst);
            sleep(SECOND).await;
            Ok(run)
        }
        let leader = spawned(dropped()).await;
        let (one, two) = (spawned(dropped()).await, spawned(dropped()).await);
        let mut events = resilient_runtime::subscribe();
        leader.abort();
        assert_eq!((one.await.unwrap(), two.await.unwrap()), (Ok(1), Ok(1)));
        assert_eq!((of("dropped").flights, of("dropped").handed_over), (2, 1));
        assert_eq!(events.recv().await.unwrap().kind, EventKind::HandedOver);
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_that_panics_hands_over() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        #[coalesce(name = "panics")]
        async fn panics() -> Answer {
            yield_now().await;
            assert_ne!(RUNS.fetch_add(1, SeqCst), 0, "the first one panics");
            Ok(7)
        }
        let (leader, other) = (tokio::spawn(panics()), tokio::spawn(panics()));
        assert!(leader.await.unwrap_err().is_panic());
        assert_eq!(other.await.unwrap(), Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_leader_that_is_dropped_before_it_runs_hands_over_again() {
        #[coalesce(name = "chain")]
        async fn chain() -> Answer {
            sleep(SECOND).await;
            Ok(7)
        }
        let leader = spawned(chain()).await;
        let (next, last) = (spawned(chain()).await, spawned(chain()).await);
        leader.abort();
        next.abort();
        assert_eq!(last.await.unwrap(), Ok(7));
        assert_eq!((of("chain").in_flight, of("chain").waiting), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_harms_nobody() {
        #[coalesce(name = "patient")]
        async fn patient() -> Answer {
            sleep(SECOND).await;
            Ok(7)
        }
        let leader = spawned(patient()).await;
        let (gone, stays) = (spawned(patient()).await, spawned(patient()).await);
        gone.abort();
        settle().await;
        assert_eq!(of("patient").waiting, 1);
        assert_eq!((leader.await.unwrap(), stays.await.unwrap()), (Ok(7), Ok(7)));
        assert_eq!(of("patient").flights, 1);
    }
}

mod left_to_the_others {
    use super::*;

    /// A call that has so long, which nobody drops then.
    async fn with_time<F>(limit: Duration, call: fn() -> F) -> JoinHandle<Answer>
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let around = Timeout::new(limit);
        let call = around.call(async { Ok::<_, Rejected>(tokio::spawn(inherit(call()))) }).await.unwrap();
        settle().await;
        call
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_out_that_the_leaders_deadline_cut_is_the_leaders_alone() {
        #[coalesce(name = "cut")]
        #[timeout("9s", name = "nine")]
        async fn cut() -> Answer {
            sleep(SECOND * 3).await;
            Ok(7)
        }
        let leader = with_time(SECOND, cut).await;
        let (one, two) = (spawned(cut()).await, spawned(cut()).await);
        let late = Rejected::TimedOut { name: "nine", limit: SECOND * 9 };
        assert_eq!(leader.await.unwrap(), Err(Fault::Rejected(late)));
        assert_eq!((one.await.unwrap(), two.await.unwrap()), (Ok(7), Ok(7)));
        assert_eq!((of("cut").flights, of("cut").handed_over), (2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_out_that_the_call_itself_has_goes_to_all_also_from_who_has_a_deadline() {
        #[coalesce(name = "uncut")]
        #[timeout("1s", name = "below")]
        async fn uncut() -> Answer {
            sleep(SECOND * 3).await;
            Ok(7)
        }
        let leader = with_time(SECOND * 2, uncut).await;
        let other = spawned(uncut()).await;
        assert_eq!(leader.await.unwrap(), other.await.unwrap());
        assert_eq!(of("uncut").flights, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_for_a_place_that_the_leaders_deadline_ended_is_the_leaders_alone() {
        #[bulkhead(name = "busy", max_concurrent = 1, max_wait = "1m")]
        async fn busy(time: Duration) -> Answer {
            sleep(time).await;
            Ok(7)
        }
        #[coalesce(name = "crowded")]
        async fn crowded() -> Answer {
            busy(Duration::ZERO).await
        }
        let before = spawned(busy(SECOND * 3)).await;
        let full = Rejected::BulkheadFull { name: "busy" };
        let leader = with_time(SECOND, crowded).await;
        let other = spawned(crowded()).await;
        assert_eq!(leader.await.unwrap(), Err(Fault::Rejected(full)));
        assert_eq!((other.await.unwrap(), before.await.unwrap()), (Ok(7), Ok(7)));
        assert_eq!(of("crowded").handed_over, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_comes_after_the_leaders_deadline_is_waited_for_by_the_next() {
        #[rate_limit(name = "seldom", rate = "1/m", max_wait = "2m")]
        async fn seldom() -> Answer {
            Ok(7)
        }
        #[coalesce(name = "in turn")]
        async fn in_turn() -> Answer {
            sleep(SECOND).await;
            seldom().await
        }
        seldom().await.unwrap();
        let leader = with_time(SECOND * 2, in_turn).await;
        let other = spawned(in_turn()).await;
        let refused = leader.await.unwrap().unwrap_err();
        assert_eq!(refused.rejected().and_then(Rejected::retry_after), Some(SECOND * 59));
        assert_eq!((other.await.unwrap(), of("in turn").handed_over), (Ok(7), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_shed_as_unimportant_is_asked_again_by_the_next() {
        #[load_shed(name = "shedding", initial_limit = 1, min_limit = 1, max_limit = 1)]
        async fn shedding(time: Duration) -> Answer {
            sleep(time).await;
            Ok(7)
        }
        #[coalesce(name = "ranked")]
        async fn ranked() -> Answer {
            sleep(SECOND).await;
            shedding(Duration::ZERO).await
        }
        let before = spawned(with_priority(Priority::Critical, shedding(SECOND * 2))).await;
        let leader = spawned(with_priority(Priority::Optional, ranked())).await;
        let other = spawned(with_priority(Priority::Critical, ranked())).await;
        let shed = Rejected::Overloaded { name: "shedding", priority: Priority::Optional };
        assert_eq!(leader.await.unwrap(), Err(Fault::Rejected(shed)));
        assert!(before.await.unwrap().is_ok() && of("ranked").flights == 2);
        assert_eq!(other.await.unwrap(), Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_circuit_that_is_open_is_open_for_all() {
        #[coalesce(name = "cut off")]
        #[circuit_breaker(name = "cut off")]
        async fn cut_off() -> Answer {
            Ok(7)
        }
        #[coalesce(name = "above it")]
        async fn above_it() -> Answer {
            yield_now().await;
            cut_off().await
        }
        registry().circuit_breaker("cut off").unwrap().force_open();
        let leader = with_time(SECOND, above_it).await;
        let (one, two) = tokio::join!(above_it(), above_it());
        assert!(leader.await.unwrap().is_err() && one.is_err() && one == two);
        assert_eq!(of("above it").flights, 2, "the first before the others came");
    }

    #[tokio::test(start_paused = true)]
    async fn by_hand_too() {
        static QUOTES: Coalesce = Coalesce::new("by hand, in time");
        static BELOW: Timeout = Timeout::new(Duration::from_secs(9));
        async fn ask() -> Answer {
            sleep(SECOND * 3).await;
            Ok(7)
        }
        async fn quote() -> Answer {
            QUOTES.call("tea", BELOW.call(ask())).await
        }
        let leader = with_time(SECOND, quote).await;
        let other = spawned(quote()).await;
        assert!(leader.await.unwrap().is_err());
        assert_eq!((other.await.unwrap(), QUOTES.snapshot().handed_over), (Ok(7), 1));
    }
}

mod waiting {
    use super::*;

    #[coalesce(name = "slow")]
    async fn slow() -> Answer {
        sleep(SECOND * 10).await;
        Ok(7)
    }

    #[timeout("2s", name = "around")]
    async fn bounded() -> Answer {
        slow().await
    }

    #[tokio::test(start_paused = true)]
    async fn a_timeout_around_one_that_waits_ends_that_one_only() {
        let leader = spawned(slow()).await;
        let start = Instant::now();
        let late = Fault::Rejected(Rejected::TimedOut { name: "around", limit: SECOND * 2 });
        assert_eq!((bounded().await, start.elapsed()), (Err(late), SECOND * 2));
        assert_eq!((leader.await.unwrap(), of("slow").timed_out), (Ok(7), 0));
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_inherits_a_deadline_keeps_it_while_it_waits() {
        #[timeout("2s")]
        async fn spawning() -> Result<Answer, Fault<&'static str>> {
            let work = tokio::spawn(inherit(slow()));
            sleep(SECOND).await;
            let done = tokio::spawn(work);
            std::future::pending::<()>().await;
            Ok(done.await.unwrap().unwrap())
        }
        let leader = spawned(slow()).await;
        assert!(spawning().await.is_err());
        settle().await;
        assert_eq!((of("slow").timed_out, of("slow").waiting), (1, 0));
        assert_eq!(leader.await.unwrap(), Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_for_the_key_it_leads_runs_by_itself() {
        #[coalesce(name = "itself", key = 1)]
        async fn itself(depth: u32) -> Answer {
            yield_now().await;
            if depth == 0 { Ok(7) } else { Box::pin(itself(depth - 1)).await }
        }
        assert_eq!(itself(3).await, Ok(7));
        assert_eq!((of("itself").flights, of("itself").alone), (1, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn calls_however_deep_within_a_lead_do_not_wait_for_it() {
        #[coalesce(name = "led", key = 1)]
        async fn led(depth: u32) -> Answer {
            yield_now().await;
            if depth == 0 { Ok(7) } else { Box::pin(through(depth - 1)).await }
        }
        #[coalesce(name = "through")]
        async fn through(depth: u32) -> Answer {
            if depth == 0 { Box::pin(led(0)).await } else { Box::pin(through(depth - 1)).await }
        }
        for depth in 1..8 {
            assert_eq!(timeout_at(Instant::now() + SECOND, led(depth)).await, Ok(Ok(7)));
        }
    }

    static LEADS: [Coalesce; 12] = [const { Coalesce::new("one of many") }; 12];
    async fn lead(at: usize) -> Answer {
        yield_now().await;
        let Some(next) = LEADS.get(at) else { return LEADS[0].call("k", ready(Ok(7))).await };
        next.call("k", Box::pin(lead(at + 1))).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_within_many_leads_waits_for_none_of_them() {
        assert_eq!(timeout_at(Instant::now() + SECOND, lead(0)).await, Ok(Ok(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn two_leaders_that_want_each_others_answer_both_get_one() {
        #[coalesce(name = "crossed", key = id)]
        async fn crossed(id: u32, deeper: bool) -> Answer {
            yield_now().await;
            if deeper { Box::pin(crossed(1 - id, false)).await } else { Ok(id) }
        }
        assert_eq!(tokio::join!(crossed(0, true), crossed(1, true)), (Ok(1), Ok(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn spawned_work_that_inherits_the_lead_runs_by_itself() {
        #[coalesce(name = "inherits", key = 1)]
        async fn inherits(deeper: bool) -> Answer {
            yield_now().await;
            if deeper { tokio::spawn(inherit(leaf())).await.unwrap() } else { Ok(7) }
        }
        fn leaf() -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send>> {
            Box::pin(inherits(false))
        }
        assert_eq!(inherits(true).await, Ok(7));
    }
}

mod in_a_circle {
    use super::*;

    #[coalesce(name = "north", key = ())]
    async fn north(left: u32) -> Answer {
        yield_now().await;
        if left == 0 { Ok(7) } else { Box::pin(south(left - 1)).await }
    }
    #[coalesce(name = "south", key = ())]
    async fn south(left: u32) -> Answer {
        yield_now().await;
        if left == 0 { Ok(7) } else { Box::pin(north(left - 1)).await }
    }

    async fn call(n: u32) -> Answer {
        if n.is_multiple_of(2) { north(n / 2 % 4).await } else { south(n / 2 % 4).await }
    }

    #[tokio::test(start_paused = true)]
    async fn two_functions_that_ask_each_other_are_both_answered() {
        #[coalesce(name = "hen", key = ())]
        async fn hen(asks: bool) -> Answer {
            yield_now().await;
            if asks { Box::pin(egg(false)).await } else { Ok(1) }
        }
        #[coalesce(name = "egg", key = ())]
        async fn egg(asks: bool) -> Answer {
            yield_now().await;
            if asks { Box::pin(hen(false)).await } else { Ok(2) }
        }
        let both = async { tokio::join!(hen(true), egg(true)) };
        assert_eq!(timeout_at(Instant::now() + SECOND, both).await, Ok((Ok(2), Ok(2))));
        assert_eq!((of("hen").joined, of("egg").alone), (1, 1));
    }

    static RING: [Coalesce; 5] = [const { Coalesce::new("one of a ring") }; 5];
    async fn ring(at: usize, left: usize) -> Answer {
        let body = async move {
            yield_now().await;
            if left == 0 { Ok(7) } else { ring((at + 1) % RING.len(), left - 1).await }
        };
        RING[at].call("k", Box::pin(body)).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_ring_of_five_comes_to_its_end() {
        let all = futures::future::join_all((0..RING.len()).map(|at| ring(at, 3)));
        let answers = timeout_at(Instant::now() + SECOND, all).await.unwrap();
        assert_eq!(answers, [const { Ok(7) }; 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_one_that_asks_nobody_back_still_waits_for_it() {
        #[coalesce(name = "page")]
        async fn page() -> Answer {
            price().await
        }
        #[coalesce(name = "price")]
        async fn price() -> Answer {
            sleep(SECOND).await;
            Ok(7)
        }
        assert_eq!(tokio::join!(price(), page(), page(), price()), (Ok(7), Ok(7), Ok(7), Ok(7)));
        assert_eq!((of("price").flights, of("price").joined, of("page").joined), (1, 2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_over_is_in_nobodys_way() {
        #[coalesce(name = "first", key = ())]
        async fn first(asks: bool) -> Answer {
            sleep(SECOND).await;
            if asks { Box::pin(second(false)).await } else { Ok(1) }
        }
        #[coalesce(name = "second", key = ())]
        async fn second(asks: bool) -> Answer {
            sleep(SECOND * 3).await;
            if asks { Box::pin(first(false)).await } else { Ok(2) }
        }
        let slow = spawned(second(false)).await;
        let waits = spawned(first(true)).await;
        sleep(SECOND * 2).await;
        waits.abort();
        assert!(waits.await.is_err() && slow.await.unwrap().is_ok());
        let (one, two) = (
            spawned(second(true)).await,
            spawned(async {
                sleep(SECOND * 5 / 2).await;
                first(false).await
            })
            .await,
        );
        assert_eq!((one.await.unwrap(), two.await.unwrap()), (Ok(1), Ok(1)));
        assert_eq!((of("first").alone, of("first").joined), (0, 1));
    }

    /// Guards against two that come to wait for each other at the same moment.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn among_threads_nobody_waits_for_ever() {
        let mut calls = JoinSet::new();
        for n in 0..4_000_u32 {
            let call = calls.spawn(call(n));
            yield_now().await;
            n.is_multiple_of(17).then(|| call.abort());
        }
        while let Some(done) = timeout_at(Instant::now() + SECOND * 30, calls.join_next()).await.unwrap() {
            assert!(done.map_or_else(|error| error.is_cancelled(), |answer| answer == Ok(7)));
        }
    }
}

mod with_others {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_attempt_of_a_retry_below_is_one_flight() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        #[coalesce(name = "over a retry")]
        #[retry(max = 3, base = "1s", jitter = "none")]
        async fn retried(sku: String) -> Answer {
            match RUNS.fetch_add(1, SeqCst) {
                2 => Ok(u32::try_from(sku.len()).unwrap()),
                _ => Err(Fault::Failed("down")),
            }
        }
        assert_eq!(tokio::join!(retried("tea".into()), retried("tea".into())), (Ok(3), Ok(3)));
        assert_eq!((RUNS.load(SeqCst), of("over a retry").flights), (3, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_above_joins_again() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        #[retry(max = 3, base = "1s", jitter = "none")]
        #[coalesce(name = "under a retry")]
        async fn retried(sku: String) -> Answer {
            yield_now().await;
            match RUNS.fetch_add(1, SeqCst) {
                2 => Ok(u32::try_from(sku.len()).unwrap()),
                _ => Err(Fault::Failed("down")),
            }
        }
        assert_eq!(tokio::join!(retried("tea".into()), retried("tea".into())), (Ok(3), Ok(3)));
        assert_eq!(RUNS.load(SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_breaker_below_counts_the_call_that_ran() {
        #[coalesce]
        #[circuit_breaker(name = "counts one")]
        async fn counted() -> Answer {
            yield_now().await;
            Err(Fault::Failed("down"))
        }
        let _ = tokio::join!(counted(), counted(), counted());
        assert_eq!(registry().circuit_breaker("counts one").unwrap().snapshot().failed, 1);
    }
}

mod by_hand {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_runs_once_for_all_and_never_begins_what_it_does_not_run() {
        let quotes = Coalesce::new("by hand");
        let run = |answer: u32| async move {
            yield_now().await;
            Ok::<_, Fault<&'static str>>(answer)
        };
        let (one, two, other) = tokio::join!(
            quotes.call("tea", run(1)),
            quotes.call("tea", run(2)),
            quotes.call("coffee", run(3))
        );
        assert_eq!((one, two, other), (Ok(1), Ok(1), Ok(3)));
        assert_eq!((quotes.snapshot().flights, quotes.name()), (2, "by hand"));
    }

    #[tokio::test(start_paused = true)]
    async fn answers_of_other_types_are_other_flights() {
        let mixed = Coalesce::new("mixed");
        let number = mixed.call("tea", async {
            yield_now().await;
            Ok::<_, Fault<()>>(1_u32)
        });
        let text = mixed.call("tea", async { Ok::<_, Fault<()>>("one") });
        assert_eq!(tokio::join!(number, text), (Ok(1), Ok("one")));
    }

    struct Counted(Arc<AtomicU32>);
    impl Clone for Counted {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, SeqCst);
            Self(Arc::clone(&self.0))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_need_not_be_cheap_to_clone_where_nobody_waits() {
        let (clones, quotes) = (Arc::new(AtomicU32::new(0)), Coalesce::new("clones"));
        let value = Counted(Arc::clone(&clones));
        assert!(quotes.call("tea", async { Ok::<_, Fault<()>>(value) }).await.is_ok());
        assert_eq!(clones.load(SeqCst), 0);
    }
}
