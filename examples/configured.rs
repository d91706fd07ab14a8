//! Policies told by a file, changed by the environment, and changed again while calls run.

use std::time::Duration;
use std::{env, fs, process};

use resilient_runtime::{Fault, configure, registry, reload, timeout};
use tokio::time::{Instant, sleep};

#[timeout("2s", name = "quotes")]
async fn quote() -> Result<u32, Fault<&'static str>> {
    sleep(Duration::from_millis(200)).await;
    Ok(42)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = env::temp_dir().join(format!("resilient-{}.toml", process::id()));
    fs::write(&path, "[timeout.quotes]\nlimit = \"100ms\"\n")?;

    // The environment is stronger, for it is added later. A program would say `.env()`.
    let variables = [("RESILIENT__TIMEOUT__QUOTES__ENABLED", "true")];
    configure().file(&path).env_from(variables).reload(Duration::from_millis(100)).install()?;
    for row in registry().explain().rows().iter().filter(|row| row.policy == "quotes") {
        println!("{row}");
    }

    let calls = tokio::spawn(async {
        for _ in 0..5 {
            let start = Instant::now();
            let answer = quote().await;
            println!("{answer:?} after {} ms", start.elapsed().as_millis());
        }
    });

    sleep(Duration::from_millis(150)).await;
    println!("-- the limit is raised");
    fs::write(&path, "[timeout.quotes]\nlimit = \"300ms\"\n")?;

    sleep(Duration::from_millis(400)).await;
    println!("-- a slip: what was in force stays");
    fs::write(&path, "[timeout.quotes]\nlimit = 1\n")?;
    if let Err(error) = reload() {
        println!("{error}");
    }

    calls.await?;
    fs::remove_file(&path)?;
    Ok(())
}
