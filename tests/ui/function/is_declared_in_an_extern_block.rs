use resilient_runtime::retry;

unsafe extern "C" {
    #[retry]
    fn load(code: u32) -> u32;
}

fn main() {}
