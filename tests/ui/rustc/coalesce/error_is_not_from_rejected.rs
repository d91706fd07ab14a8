use resilient_runtime::coalesce;

#[derive(Debug)]
struct LoadError;

#[coalesce]
async fn load(path: &str) -> Result<String, LoadError> {
    Ok(path.to_owned())
}

fn main() {}
