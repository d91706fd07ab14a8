//! What each part of a retry buys when a server comes back: `cargo run --example retry_storm`.
//!
//! Ten thousand users of four services call one server, on virtual time. For ten seconds it takes requests and
//! answers none, and a service waits a second for each. What the server has taken it works off in turn, also
//! for those who have given up: if they keep asking, it answers nobody in time, and never gets out of it.

mod plans;
mod report;
mod world;

use std::error::Error;
use std::io::{Write as _, stdout};

use world::Course;

fn main() -> Result<(), Box<dyn Error>> {
    report::head();
    let mut courses: Vec<Course> = Vec::new();
    for plan in plans::all() {
        let course = world::run(plan)?;
        report::line(&course, courses.iter().find(|other| other.plan == plan.base));
        stdout().flush()?;
        courses.push(course);
    }
    println!("\nEach plan is compared with the one above that it adds to, the last one with jitter alone.");
    let picture = std::env::current_exe()?.with_extension("svg");
    report::draw(&picture, &courses)?;
    println!("The curves: {}", picture.display());
    Ok(())
}
