//! A shop that goes on selling while its payment service is in trouble.
//!
//! Two instances of a payment service play the same script: healthy, slow, failing, down,
//! recovering. Two shops send them the same load, one through annotated functions (`shop.rs`), one
//! without. The timeline shows what the policies of the first one do.
//!
//! ```text
//! cargo run --example storefront
//! cargo run --example storefront -- --explain   # what guards the shop, and by what settings
//! ```

mod load;
mod paint;
mod service;
mod shop;
mod summary;
mod timeline;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::{configure, print_inventory, subscribe};
use tokio::task::JoinHandle;
use tokio::time::timeout_at;

use crate::load::{Log, steady};
use crate::paint::Paint;
use crate::service::{HANGS, PaymentService, Script};
use crate::shop::{BREAKER, Shop};
use crate::summary::{Side, compare, judge};
use crate::timeline::Timeline;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("storefront: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<bool, Box<dyn Error>> {
    configure()
        .circuit_breaker(BREAKER, |breaker| {
            breaker
                .failure_rate(0.4)
                .window(Duration::from_secs(1))
                .min_calls(20)
                .reset_timeout(Duration::from_secs(1))
                .success_threshold(3)
        })
        .install()?;
    if std::env::args().any(|argument| argument == "--explain") {
        print_inventory();
        return Ok(true);
    }

    let script = Script::begin();
    let (guarded_service, bare_service) = (PaymentService::start(script)?, PaymentService::start(script)?);
    let (guarded_shop, bare_shop) =
        (Arc::new(Shop::new(guarded_service.address)?), Arc::new(Shop::new(bare_service.address)?));
    let (guarded_log, bare_log) = (Log::default(), Log::default());
    let paint = Paint::detect();
    println!(
        "A shop with policies calls {}, one without calls {}.\n",
        guarded_service.address, bare_service.address
    );

    let timeline = Timeline { script, paint, log: guarded_log.clone(), events: subscribe() };
    let timeline = tokio::spawn(timeline.print());
    let guarded = tokio::spawn(steady(script, guarded_log.clone(), move |number| {
        let shop = Arc::clone(&guarded_shop);
        async move { shop.visit(number).await }
    }));
    let bare = tokio::spawn(steady(script, bare_log.clone(), move |number| {
        let shop = Arc::clone(&bare_shop);
        async move { shop.visit_unprotected(number).await }
    }));

    let states = timeline.await?;
    let (guarded_ended, bare_ended) = (ended(script, guarded).await, ended(script, bare).await);
    let guarded = Side { service: &guarded_service, samples: guarded_log.since(0), ended: guarded_ended };
    let bare = Side { service: &bare_service, samples: bare_log.since(0), ended: bare_ended };
    compare(paint, &guarded, &bare);
    Ok(judge(paint, script, &guarded, &states))
}

/// Whether all calls come to an end, given the time that the service lets them hang.
async fn ended(script: Script, load: JoinHandle<()>) -> bool {
    timeout_at(script.ends() + HANGS, load).await.is_ok_and(|load| load.is_ok())
}
