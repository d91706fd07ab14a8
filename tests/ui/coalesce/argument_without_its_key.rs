use resilient_runtime::coalesce;

#[coalesce(id)]
async fn quote(id: u32) -> std::io::Result<u32> {
    Ok(id)
}

fn main() {}
