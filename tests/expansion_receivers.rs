//! Every receiver an attribute can meet, and what its future can be sent to.

#![allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    reason = "the shapes are what is tested"
)]

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::{Rejected, attempt, circuit_breaker, fallback, retry, timeout};
use tokio::time::sleep;

#[derive(Clone, Debug, PartialEq)]
enum PayError {
    Busy,
    Rejected,
}

impl From<Rejected> for PayError {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

/// Fails until attempt `ok`.
fn busy_until(ok: u32) -> Result<u32, PayError> {
    if attempt() < ok { Err(PayError::Busy) } else { Ok(attempt()) }
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

mod receivers {
    use super::*;

    #[derive(Clone)]
    struct Client {
        calls: u32,
    }

    impl Client {
        #[retry]
        async fn shared(&self, n: u32) -> Result<u32, PayError> {
            busy_until(n).map(|n| n + self.calls)
        }

        #[timeout("100s")]
        #[retry]
        #[timeout("1s")]
        async fn unique(&mut self) -> Result<u32, PayError> {
            self.calls += 1;
            busy_until(3)?;
            Ok(self.calls)
        }

        #[retry]
        async fn owned(self) -> Result<u32, PayError> {
            busy_until(3)?;
            Ok(self.calls)
        }

        #[timeout("1s")]
        async fn owned_mut(mut self) -> Result<Self, PayError> {
            self.calls += 1;
            Ok(self)
        }

        #[timeout("100s")]
        #[retry]
        async fn arc(self: Arc<Self>) -> Result<u32, PayError> {
            busy_until(3)?;
            Ok(self.calls)
        }

        #[retry]
        async fn boxed(self: Box<Self>, text: &str) -> Result<String, PayError> {
            busy_until(3)?;
            Ok(format!("{text}{}", self.calls))
        }

        #[retry]
        async fn pinned(self: Pin<&mut Self>) -> Result<u32, PayError> {
            busy_until(3)?;
            Ok(self.calls)
        }

        #[fallback(fn = Self::cached)]
        #[timeout("1s")]
        async fn with_fallback(&mut self, text: String) -> Result<String, PayError> {
            self.calls += 1;
            drop(text);
            Err(PayError::Busy)
        }

        async fn cached(&mut self, text: String) -> Result<String, PayError> {
            Ok(format!("{text}{}", self.calls))
        }

        #[fallback(fn = self.again(err))]
        #[retry]
        async fn by_call(&mut self) -> Result<String, PayError> {
            self.calls += 1;
            Err(PayError::Busy)
        }

        fn again(&mut self, err: PayError) -> Result<String, PayError> {
            Ok(format!("{err:?}{}", self.calls))
        }

        #[timeout("1s")]
        async fn borrowed(&mut self) -> Result<&mut u32, PayError> {
            Ok(&mut self.calls)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_receiver_reaches_the_body() {
        let mut client = Client { calls: 0 };
        assert_eq!(client.shared(2).await, Ok(2));
        assert_eq!(client.unique().await, Ok(3));
        assert_eq!(client.clone().owned().await, Ok(3));
        assert_eq!(client.clone().owned_mut().await.map(|client| client.calls), Ok(4));
        assert_eq!(Arc::new(client.clone()).arc().await, Ok(3));
        assert_eq!(Box::new(client.clone()).boxed("a").await, Ok("a3".into()));
        assert_eq!(Pin::new(&mut client).pinned().await, Ok(3));
        assert_eq!(client.with_fallback("a".into()).await, Ok("a4".into()));
        assert_eq!(client.by_call().await, Ok("Busy7".into()));
        *client.borrowed().await.expect("it answers") += 1;
        assert_eq!(client.calls, 8);
    }

    #[tokio::test]
    async fn futures_stay_send() {
        let mut client = Client { calls: 0 };
        drop(assert_send(client.shared(2)));
        drop(assert_send(client.unique()));
        drop(assert_send(client.clone().owned()));
        drop(assert_send(client.with_fallback(String::new())));
        drop(assert_send(client.by_call()));
    }
}

mod sending {
    use super::*;

    /// `Send`, not `Sync`.
    #[derive(Clone)]
    struct Handle(Cell<u32>);

    impl Handle {
        #[timeout("100s")]
        #[retry]
        async fn receiver(self) -> Result<u32, PayError> {
            self.0.set(attempt());
            busy_until(2)
        }
    }

    #[fallback(fn = fell)]
    #[timeout("100s")]
    #[retry]
    #[timeout("1s")]
    async fn argument(cell: Cell<u32>, handle: Handle) -> Result<u32, PayError> {
        cell.set(attempt());
        sleep(Duration::from_millis(1)).await;
        busy_until(2).map(|n| n + handle.0.get())
    }

    async fn fell(cell: Cell<u32>, _: Handle) -> Result<u32, PayError> {
        Ok(cell.get())
    }

    #[timeout("100s")]
    #[retry(no_clone(cell))]
    async fn lent(cell: Cell<u32>) -> Result<u32, PayError> {
        cell.set(attempt());
        busy_until(2)
    }

    /// Neither value nor error can be sent, and neither lives through a wait.
    #[fallback(value = std::rc::Rc::new(0))]
    #[retry]
    async fn local() -> Result<std::rc::Rc<u32>, std::rc::Rc<u32>> {
        Err(std::rc::Rc::new(1))
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_sync_can_be_an_argument() {
        assert_eq!(assert_send(argument(Cell::new(0), Handle(Cell::new(1)))).await, Ok(3));
        assert_eq!(assert_send(Handle(Cell::new(0)).receiver()).await, Ok(2));
        assert_eq!(assert_send(lent(Cell::new(0))).await, Ok(2));
        assert_eq!(assert_send(async { local().await.map(|n| *n).map_err(|n| *n) }).await, Ok(0));
    }

    #[retry]
    async fn not_send(counter: std::rc::Rc<Cell<u32>>) -> Result<u32, PayError> {
        counter.set(counter.get() + 1);
        tokio::task::yield_now().await;
        busy_until(3)?;
        Ok(counter.get())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_send_is_not_required_to_be() {
        assert_eq!(not_send(std::rc::Rc::default()).await, Ok(3));
    }
}

mod given_away {
    use super::*;

    #[derive(Clone)]
    struct Client {
        calls: u32,
        log: Vec<u32>,
    }

    struct Holder<'a> {
        client: &'a mut Client,
    }

    async fn ask(client: Client) -> Result<u32, PayError> {
        busy_until(client.calls)
    }

    impl Client {
        #[retry]
        async fn owned(self) -> Result<u32, PayError> {
            ask(self).await
        }

        #[timeout("100s")]
        #[retry]
        async fn taken_apart(self) -> Result<usize, PayError> {
            let Self { calls, log } = self;
            busy_until(calls)?;
            Ok(log.len())
        }

        #[timeout("100s")]
        #[retry]
        async fn sent(self: Arc<Self>) -> Result<u32, PayError> {
            let task = async move { busy_until(self.calls) };
            task.await
        }

        #[timeout("100s")]
        #[retry]
        async fn changed(mut self: Arc<Self>) -> Result<u32, PayError> {
            Arc::make_mut(&mut self).calls += 1;
            busy_until(3)?;
            Ok(self.calls)
        }

        #[fallback(fn = Self::cached)]
        #[retry]
        async fn wanted_above(mut self) -> Result<u32, PayError> {
            self.calls += 1;
            Err(PayError::Busy)
        }

        #[fallback(fn = Self::cached)]
        async fn wanted_after(self) -> Result<u32, PayError> {
            ask(self).await?;
            Err(PayError::Busy)
        }

        #[fallback(fn = [Self::failing, Self::cached])]
        #[circuit_breaker(name = "given away")]
        #[timeout("1s")]
        async fn wanted_twice(mut self) -> Result<u32, PayError> {
            self.calls = 100;
            ask(self).await
        }

        #[fallback(fn = self.other(err))]
        async fn wanted_by_a_call(self: Arc<Self>) -> Result<u32, PayError> {
            let task = async move { ask((*self).clone()).await };
            task.await
        }

        async fn failing(self) -> Result<u32, PayError> {
            Err(PayError::Busy)
        }

        fn other(&self, _: PayError) -> Result<u32, PayError> {
            Ok(self.calls)
        }

        fn cached(self) -> Result<u32, PayError> {
            Ok(self.calls)
        }

        #[retry]
        async fn renamed(&mut self) -> Result<u32, PayError> {
            let this = self;
            this.calls += 1;
            busy_until(3)?;
            Ok(this.calls)
        }

        #[timeout("100s")]
        #[retry]
        async fn held(&mut self) -> Result<u32, PayError> {
            let holder = Holder { client: self };
            holder.client.calls += 1;
            busy_until(3)?;
            Ok(holder.client.calls)
        }

        #[retry]
        async fn only_imported(self) -> Result<u32, PayError> {
            use std::fmt::{self, Write as _};
            fn write(to: &mut String) -> fmt::Result {
                to.write_str("a")
            }
            write(&mut String::new()).map_err(|_error| PayError::Busy)?;
            busy_until(self.calls)
        }
    }

    #[derive(Clone, Copy)]
    struct Small(u32);

    impl Small {
        #[retry]
        async fn copied(mut self) -> Result<Self, PayError> {
            self.0 += 1;
            busy_until(3)?;
            Ok(self)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_attempt_gets_its_own_self() {
        let mut client = Client { calls: 2, log: vec![1] };
        assert_eq!(assert_send(client.clone().owned()).await, Ok(2));
        assert_eq!(assert_send(client.clone().taken_apart()).await, Ok(1));
        assert_eq!(assert_send(Arc::new(client.clone()).sent()).await, Ok(2));
        assert_eq!(assert_send(Arc::new(client.clone()).changed()).await, Ok(3));
        assert!(client.clone().wanted_above().await.is_ok());
        assert_eq!(assert_send(client.clone().wanted_after()).await, Ok(2));
        assert_eq!(assert_send(client.clone().wanted_twice()).await, Ok(2));
        assert_eq!(assert_send(Arc::new(client.clone()).wanted_by_a_call()).await, Ok(2));
        assert_eq!(assert_send(client.renamed()).await, Ok(5));
        assert_eq!(assert_send(client.held()).await, Ok(8));
        client.calls = 2;
        assert_eq!(client.only_imported().await, Ok(2));
        assert_eq!(Small(1).copied().await.map(|small| small.0), Ok(2));
    }
}
