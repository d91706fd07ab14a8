use resilient_runtime::retry;

struct Pool(Vec<String>);

impl Pool {
    #[retry]
    async fn first(&mut self) -> Result<&mut String, std::io::Error> {
        self.0.first_mut().ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

fn main() {}
