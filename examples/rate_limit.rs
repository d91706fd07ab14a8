//! A partner that takes ten questions a second, three at once: `cargo run --example rate_limit`.

use std::fmt::Display;
use std::sync::LazyLock;

use resilient_runtime::{Rejected, rate_limit, registry};
use tokio::time::Instant;

/// Whoever comes too soon waits for a turn, half a second at most.
#[rate_limit(name = "partner", rate = "10/s", burst = 3, max_wait = "500ms")]
async fn ask(question: u32) -> Result<u32, Rejected> {
    Ok(question * question)
}

async fn ask_and_tell(question: u32) {
    match ask(question).await {
        Ok(answer) => say(format_args!("question {question} is answered: {answer}")),
        Err(rejected) => say(format_args!("question {question} is too much: {rejected}")),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    say("ten questions at once");
    let questions: Vec<_> = (1..=10).map(|question| tokio::spawn(ask_and_tell(question))).collect();
    for question in questions {
        // A question that panics tells so itself.
        let _ = question.await;
    }
    if let Some(partner) = registry().rate_limit("partner") {
        let seen = partner.snapshot();
        let (admitted, waited, rejected) = (seen.admitted, seen.waited, seen.rejected);
        println!("{admitted} admitted, {waited} of them after a wait, {rejected} rejected");
    }
}

fn say(what: impl Display) {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    println!("{:>6} ms  {what}", START.elapsed().as_millis());
}
