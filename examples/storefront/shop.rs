//! The shop: annotated functions, and the same calls without protection.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, StatusCode};
use resilient_runtime::{Classify, Rejected, circuit_breaker, fallback, retry, timeout};

/// The breaker that all calls to the payment service share.
pub(crate) const BREAKER: &str = "payments";

const ARTICLES: u32 = 20;

const fn is_order(number: u32) -> bool {
    number.is_multiple_of(4)
}

/// An amount of money, in cents.
type Cents = u32;

/// Why there is no answer from the payment service.
#[derive(Debug, Classify)]
pub(crate) enum PaymentError {
    #[transient]
    Unreachable(reqwest::Error),
    #[throttled(after = retry_after)]
    Busy { retry_after: Option<Duration> },
    #[permanent]
    Refused(StatusCode),
    #[transparent]
    Rejected(Rejected),
}

impl From<Rejected> for PaymentError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl From<reqwest::Error> for PaymentError {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(error)
    }
}

impl fmt::Display for PaymentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(_) => write!(f, "the payment service cannot be reached"),
            Self::Busy { retry_after: None } => write!(f, "the payment service is busy"),
            Self::Busy { retry_after: Some(after) } => {
                write!(f, "the payment service is busy for {after:?}")
            }
            Self::Refused(status) => write!(f, "the payment service answered {status}"),
            Self::Rejected(rejected) => rejected.fmt(f),
        }
    }
}

impl Error for PaymentError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreachable(error) => Some(error),
            Self::Rejected(rejected) => Some(rejected),
            Self::Busy { .. } | Self::Refused(_) => None,
        }
    }
}

/// What a customer gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// From the payment service.
    Fresh(Cents),
    /// Last known, from the cache.
    Cached(Cents),
    /// Accepted, and charged once the payment service is back.
    Queued,
}

pub(crate) struct Shop {
    client: Client,
    payments: String,
    known: Mutex<HashMap<u32, Cents>>,
}

impl Shop {
    pub(crate) fn new(payments: SocketAddr) -> reqwest::Result<Self> {
        // One place decides about retries, and it is not the client.
        let client = Client::builder().retry(reqwest::retry::never()).no_proxy().build()?;
        Ok(Self { client, payments: format!("http://{payments}"), known: Mutex::default() })
    }

    #[fallback(fn = Self::last_known(self, sku, err))]
    #[retry(max = 3, base = "50ms", max_delay = "200ms", within = "1s")]
    #[circuit_breaker(name = "payments")]
    #[timeout("500ms")]
    async fn quote(&self, sku: u32) -> Result<Answer, PaymentError> {
        let price = self.ask_price(sku).await?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(sku, price);
        Ok(Answer::Fresh(price))
    }

    // No retry: a charge that timed out may have gone through.
    #[fallback(value = Answer::Queued)]
    #[circuit_breaker(name = "payments")]
    #[timeout("500ms")]
    async fn charge(&self, order: u32) -> Result<Answer, PaymentError> {
        Ok(Answer::Fresh(self.ask_charge(order).await?))
    }

    fn last_known(&self, sku: u32, error: PaymentError) -> Result<Answer, PaymentError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&sku).map(|price| Answer::Cached(*price)).ok_or(error)
    }

    /// One customer's call: some order, the others ask for a price.
    pub(crate) async fn visit(&self, number: u32) -> Result<Answer, PaymentError> {
        if is_order(number) { self.charge(number).await } else { self.quote(number % ARTICLES).await }
    }

    pub(crate) async fn visit_unprotected(&self, number: u32) -> Result<Answer, PaymentError> {
        let sum = if is_order(number) {
            self.ask_charge(number).await
        } else {
            self.ask_price(number % ARTICLES).await
        };
        sum.map(Answer::Fresh)
    }

    async fn ask_price(&self, sku: u32) -> Result<Cents, PaymentError> {
        self.ask(Method::GET, format!("/quote/{sku}")).await
    }

    async fn ask_charge(&self, order: u32) -> Result<Cents, PaymentError> {
        self.ask(Method::POST, format!("/charge/{order}")).await
    }

    async fn ask(&self, method: Method, path: String) -> Result<Cents, PaymentError> {
        let url = format!("{}{path}", self.payments);
        let response = self.client.request(method, url).send().await?;
        match response.status() {
            StatusCode::SERVICE_UNAVAILABLE => {
                Err(PaymentError::Busy { retry_after: retry_after(response.headers()) })
            }
            status if status.is_client_error() => Err(PaymentError::Refused(status)),
            _ => Ok(response.error_for_status()?.json().await?),
        }
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
