use resilient_runtime::{fallback, retry, timeout};
use std::pin::Pin;
use std::sync::Arc;

struct Disk;

trait Store {
    #[retry]
    async fn load(&self, path: &str) -> std::io::Result<String> {
        tokio::fs::read_to_string(path).await
    }
}

impl Store for Disk {}

impl Disk {
    #[timeout("1s")]
    async fn close(self) -> std::io::Result<()> {
        drop(self);
        Ok(())
    }

    #[retry]
    async fn share(self: Arc<Self>, path: String) -> std::io::Result<String> {
        tokio::fs::read_to_string(path).await
    }

    #[retry]
    fn boxed<'a>(&'a self, path: &'a str) -> Pin<Box<dyn Future<Output = std::io::Result<String>> + Send + 'a>> {
        Box::pin(async move { tokio::fs::read_to_string(path).await })
    }

    #[timeout("1s")]
    fn future(&self, path: String) -> impl Future<Output = std::io::Result<String>> + Send {
        async move { tokio::fs::read_to_string(path).await }
    }
}

#[retry]
async fn depth(left: u32) -> std::io::Result<u32> {
    if left == 0 { Ok(0) } else { Ok(Box::pin(depth(left - 1)).await? + 1) }
}

#[fallback(fn = nothing(name, Vec::new()))]
#[retry(max = 2)]
async fn save<const N: usize, T>((name, _): (&str, u32), pages: [T; N], _: bool) -> std::io::Result<usize>
where
    T: AsRef<[u8]> + Clone,
{
    for page in pages {
        tokio::fs::write(name, page).await?;
    }
    Ok(N)
}

async fn nothing(_name: &str, _pages: Vec<u8>) -> std::io::Result<usize> {
    Ok(0)
}

#[timeout("1s")]
async unsafe fn raw(pointer: *const u8) -> std::io::Result<u8> {
    unsafe { Ok(*pointer) }
}

macro_rules! loader {
    ($name:ident, $max:literal, $limit:expr, $body:block) => {
        #[retry(max = $max)]
        #[timeout($limit)]
        async fn $name(_path: &str) -> std::io::Result<String> $body
    };
}

loader!(load, 3, "1s", { Err(std::io::ErrorKind::NotFound.into()) });

fn main() {
    let disk = Disk;
    let _futures = (disk.load("page"), disk.boxed("page"), disk.future(String::new()));
    let _more = (depth(3), save(("page", 1), [""], true), load("page"), Disk.close());
    let _rest = (Arc::new(Disk).share(String::new()), unsafe { raw(std::ptr::null()) });
}
