//! No lint of the user's fires in an expansion.
#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications, rust_2018_idioms, future_incompatible, unused)]

use resilient_runtime::{circuit_breaker, fallback, retry, timeout};

/// Keeps pages.
#[derive(Debug)]
pub struct Disk;

impl Disk {
    async fn cached(&mut self, _path: &str, _pages: Vec<u8>, _version: u32) -> std::io::Result<()> {
        Ok(())
    }

    /// Saves a page.
    #[fallback(fn = Self::cached)]
    #[timeout("20s")]
    #[retry(max = 4, base = "10ms", when = |error| error.kind() == std::io::ErrorKind::TimedOut)]
    #[circuit_breaker(name = "disk")]
    #[timeout("1s")]
    pub async fn save(&mut self, path: &str, mut page: Vec<u8>, version: u32) -> std::io::Result<()> {
        if version == 0 {
            return Ok(());
        }
        page.push(b'.');
        tokio::fs::write(path, page).await?;
        Ok(())
    }

    /// Marks a page in the builds that do.
    #[retry]
    pub async fn mark(&self, #[cfg_attr(all(), allow(unused_mut))] mut page: String, #[allow(unused_mut)] mut to: &str) -> std::io::Result<()> {
        #[cfg(any())]
        page.push('.');
        tokio::fs::write(to, page).await
    }

    /// Never comes to an end of its own.
    #[retry]
    pub async fn watch(&self) -> std::io::Result<()> {
        loop {
            tokio::task::yield_now().await;
        }
    }
}

fn main() {}
