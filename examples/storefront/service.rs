//! A payment service that goes through good and bad times, over real HTTP.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::{Instant, sleep, sleep_until};

/// How long a call that hangs would take.
pub(crate) const HANGS: Duration = Duration::from_millis(2_500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    Healthy,
    Slow,
    Failing,
    Down,
    Recovering,
}

const SCENES: [(Scene, u64); 5] =
    [(Scene::Healthy, 2), (Scene::Slow, 3), (Scene::Failing, 4), (Scene::Down, 3), (Scene::Recovering, 4)];

impl Scene {
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Slow => "slow: 1 of 4 hangs",
            Self::Failing => "503 for 1 of 2",
            Self::Down => "down: refused",
            Self::Recovering => "recovering",
        }
    }

    pub(crate) const fn is_trouble(self) -> bool {
        matches!(self, Self::Slow | Self::Failing | Self::Down)
    }
}

/// Which scene is when; all instances of the service and the load keep to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    pub(crate) began: Instant,
}

impl Script {
    pub(crate) fn begin() -> Self {
        Self { began: Instant::now() }
    }

    pub(crate) fn scene_at(self, time: Instant) -> Scene {
        let seconds = time.duration_since(self.began).as_secs();
        let mut end = 0;
        let current = SCENES.iter().find(|(_, lasts)| {
            end += lasts;
            seconds < end
        });
        current.map_or(Scene::Recovering, |(scene, _)| *scene)
    }

    fn starts(self, wanted: Scene) -> Instant {
        let before = SCENES.iter().take_while(|(scene, _)| *scene != wanted);
        self.began + Duration::from_secs(before.map(|(_, lasts)| lasts).sum())
    }

    pub(crate) fn ends(self) -> Instant {
        self.began + Duration::from_secs(SCENES.iter().map(|(_, lasts)| lasts).sum())
    }
}

/// One running instance.
pub(crate) struct PaymentService {
    pub(crate) address: SocketAddr,
    calls: Arc<Calls>,
}

struct Calls {
    script: Script,
    all: AtomicU64,
    in_trouble: AtomicU64,
}

impl PaymentService {
    pub(crate) fn start(script: Script) -> io::Result<Self> {
        // Bound for as long as the service lives but never listening: while the service is down
        // its calls are refused, and nobody else gets its port.
        let place = socket((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = place.local_addr()?;
        let listener = listen(address)?;
        let calls = Arc::new(Calls { script, all: AtomicU64::new(0), in_trouble: AtomicU64::new(0) });
        let app = Router::new()
            .route("/quote/{sku}", get(answer))
            .route("/charge/{order}", post(answer))
            .with_state(Arc::clone(&calls));
        tokio::spawn(async move {
            if let Err(error) = serve(script, app, listener).await {
                eprintln!("the payment service ended: {error}");
            }
            drop(place);
        });
        Ok(Self { address, calls })
    }

    /// Calls that arrived while it was slow, failing or on its way down.
    pub(crate) fn reached_in_trouble(&self) -> u64 {
        self.calls.in_trouble.load(Relaxed)
    }
}

async fn serve(script: Script, app: Router, listener: TcpListener) -> io::Result<()> {
    let address = listener.local_addr()?;
    let outage = sleep_until(script.starts(Scene::Down));
    axum::serve(listener, app.clone()).with_graceful_shutdown(outage).await?;
    sleep_until(script.starts(Scene::Recovering)).await;
    axum::serve(listen(address)?, app).await
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    socket(address)?.listen(1_024)
}

fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    #[cfg(unix)]
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// The price of an article, or the sum of an order, in cents.
async fn answer(State(calls): State<Arc<Calls>>) -> Response {
    let number = calls.all.fetch_add(1, Relaxed);
    let scene = calls.script.scene_at(Instant::now());
    if scene.is_trouble() {
        calls.in_trouble.fetch_add(1, Relaxed);
    }
    match scene {
        Scene::Slow if one_of(4, number) => sleep(HANGS).await,
        Scene::Failing if one_of(2, number) => {
            return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")]).into_response();
        }
        Scene::Recovering => sleep(Duration::from_millis(40 + number % 20)).await,
        _ => sleep(Duration::from_millis(10 + number % 20)).await,
    }
    Json(1_250).into_response()
}

/// Picks every fourth call, say, but not in step with what customers ask for in turn.
const fn one_of(share: u64, number: u64) -> bool {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).is_multiple_of(share)
}
