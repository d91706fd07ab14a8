//! A real Prometheus reads the example's figures, and answers queries with them.
//!
//! On real time: it waits until an answer is right, and fails when it never is. Where there is no `prometheus` to
//! run, it says that it was skipped, and passes.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../examples/metrics.rs"]
#[expect(dead_code, reason = "the rest of an example that runs by itself")]
mod example;

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use resilient_runtime::{configure, export::prometheus::text};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(20);

/// A server that is stopped, and its folder removed, when the test is over.
struct Prometheus {
    child: Child,
    folder: PathBuf,
    address: SocketAddr,
}

impl Prometheus {
    /// Scrapes `target`, unless the machine has no Prometheus.
    fn start(target: SocketAddr) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("resilient-prometheus-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let config = folder.join("prometheus.yml");
        let text = format!(
            "global: {{ scrape_interval: 200ms, scrape_timeout: 200ms }}\n\
             scrape_configs: [{{ job_name: shop, static_configs: [{{ targets: ['{target}'] }}] }}]\n"
        );
        fs::write(&config, text).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdout(Stdio::null())
            .spawn();
        match child {
            Ok(child) => Some(Self { child, folder, address }),
            Err(error) => {
                fs::remove_dir_all(&folder).unwrap();
                println!("skipped: no `prometheus` to run: {error}");
                None
            }
        }
    }

    /// Answers of a query by the labels of each, or nothing as long as it does not answer.
    async fn query(&self, query: &str) -> Option<BTreeMap<String, f64>> {
        let url = format!("http://{}/api/v1/query", self.address);
        let url = reqwest::Url::parse_with_params(&url, [("query", query)]).unwrap();
        let answer: serde_json::Value = reqwest::get(url).await.ok()?.json().await.ok()?;
        let samples = answer["data"]["result"].as_array()?;
        let read = samples.iter().map(|sample| {
            let mut labels = sample["metric"].as_object().unwrap().clone();
            for added in ["__name__", "instance", "job"] {
                labels.remove(added);
            }
            let labels: Vec<_> = labels.values().map(|value| value.as_str().unwrap()).collect();
            (labels.join(" "), sample["value"][1].as_str().unwrap().parse().unwrap())
        });
        Some(read.collect())
    }

    /// Waits until `query` has this answer.
    async fn answers(&self, query: &str, expected: &BTreeMap<String, f64>) {
        let mut last = None;
        let right = async {
            while last.as_ref() != Some(expected) {
                sleep(Duration::from_millis(50)).await;
                last = self.query(query).await;
            }
        };
        let waited = timeout(PATIENCE, right).await;
        assert!(waited.is_ok(), "{query}: {last:?} instead of {expected:?}");
    }

    async fn is_in(&self, state: &str) {
        let states = ["closed", "disabled", "forced_open", "half_open", "observing", "open"];
        let expected =
            states.map(|word| (format!("stock {word}"), f64::from(u8::from(word == state)))).into();
        self.answers("resilient_circuit_breaker_state", &expected).await;
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Values of a counter as the example prints them, by its labels.
fn printed(counter: &str) -> BTreeMap<String, f64> {
    let text = text();
    let of_counter = text.lines().filter_map(|line| line.strip_prefix(counter)?.strip_prefix('{'));
    let read = of_counter.map(|line| {
        let (labels, value) = line.split_once("} ").unwrap();
        let mut labels: Vec<_> =
            labels.split(',').map(|label| label.split('"').collect::<Vec<_>>()).collect();
        labels.sort_by_key(|label| label[0]);
        let labels: Vec<_> = labels.iter().map(|label| label[1]).collect();
        (labels.join(" "), value.parse().unwrap())
    });
    read.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_return_what_the_example_prints() {
    configure().circuit_breaker("stock", |it| it.reset_timeout(Duration::from_secs(3))).install().unwrap();
    let Some(prometheus) = Prometheus::start(example::serve().await.unwrap()) else { return };

    prometheus.is_in("closed").await;
    example::ask(20).await;
    example::DOWN.store(true, Relaxed);
    example::ask(10).await;
    prometheus.is_in("open").await;
    prometheus.is_in("half_open").await;
    example::DOWN.store(false, Relaxed);
    example::ask(10).await;
    prometheus.is_in("closed").await;

    for counter in [
        "resilient_circuit_breaker_calls_total",
        "resilient_fallback_total",
        "resilient_retry_attempts_total",
        "resilient_retry_calls_total",
    ] {
        let printed = printed(counter);
        assert!(printed.values().sum::<f64>() > 0.0, "{counter}: {printed:?}");
        prometheus.answers(counter, &printed).await;
    }
}
