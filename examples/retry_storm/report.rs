//! What a course came to, as a line and as a curve.

use std::error::Error;
use std::ops::Range;
use std::path::Path;

use plotters::chart::SeriesLabelPosition::{MiddleRight, UpperRight};
use plotters::coord::Shift;
use plotters::prelude::{
    BLACK, ChartBuilder, Color as _, DrawingArea, IntoDrawingArea as _, LineSeries, PathElement, RGBColor,
    Rectangle, SVGBackend, SeriesLabelPosition, TRANSPARENT, WHITE,
};

use crate::world::{CAPACITY, Course, END, OFFERED, OUTAGE, Second, USERS};

/// What follows, in which plans are compared.
const AFTER: Range<usize> = OUTAGE.end..OUTAGE.end + 30;
/// Well again is nearly every call answered, for so many seconds.
const STEADY: usize = 3;
/// In per cent: what is less is chance.
const NOTICED: f64 = 5.0;

/// A colour for each plan, told apart also by who sees no red or no green.
const COLORS: [RGBColor; 7] = [
    RGBColor(213, 94, 0),
    RGBColor(230, 159, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(90, 90, 90),
];

pub(crate) fn head() {
    let stall = OUTAGE.len();
    println!(
        "{USERS} users make {OFFERED} calls a second; the server can answer {CAPACITY}, and stalls for {stall} s.\n"
    );
    println!("                requests for a call   calls with   well again   calls without");
    println!("                  during      after       answer         after          answer");
}

/// One line, and what the plan buys compared with the one that it adds to.
pub(crate) fn line(course: &Course, before: Option<&Course>) {
    let requests = |range| sum(course, range, |it| it.requests) / sum(course, range, |it| it.calls);
    let answered = sum(course, &AFTER, |it| it.answered) / sum(course, &AFTER, |it| it.calls) * 100.0;
    let well = recovery(course)
        .map_or_else(|| format!("not in {} s", END - OUTAGE.end), |seconds| format!("{seconds} s"));
    println!(
        "{:16}{:>8.1}{:>11.1}{answered:>11.0} %{well:>14}{:>16}{}",
        course.plan,
        requests(&OUTAGE),
        requests(&AFTER),
        unanswered(course),
        before.map_or_else(String::new, |before| bought(unanswered(course) / unanswered(before))),
    );
}

fn bought(left: f64) -> String {
    match (1.0 - left) * 100.0 {
        less if less >= NOTICED => format!("   {less:.0} % fewer"),
        less if less <= -NOTICED => format!("   {:.0} % more", -less),
        _ => "   buys nothing here".into(),
    }
}

fn unanswered(course: &Course) -> f64 {
    let all = 0..END;
    sum(course, &all, |it| it.calls) - sum(course, &all, |it| it.answered)
}

fn sum(course: &Course, range: &Range<usize>, of: fn(&Second) -> u32) -> f64 {
    course.seconds[range.clone()].iter().map(|second| f64::from(of(second))).sum()
}

/// Seconds from the end of the outage until answers are as many as users ask for.
fn recovery(course: &Course) -> Option<usize> {
    let is_well = |second: &Second| second.answered * 10 >= OFFERED * 9;
    course.seconds[OUTAGE.end..].windows(STEADY).position(|few| few.iter().all(is_well))
}

pub(crate) fn draw(picture: &Path, courses: &[Course]) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(picture, (1100, 900)).into_drawing_area();
    area.fill(&WHITE)?;
    let (above, below) = area.split_vertically(450);
    let most = courses.iter().flat_map(|course| &course.seconds).map(|second| second.requests).max();
    panel(&above, ("Answers a second", OFFERED * 2), UpperRight, courses, |second| second.answered)?;
    let most = most.unwrap_or(0) * 21 / 20;
    panel(&below, ("Requests a second", most), MiddleRight, courses, |second| second.requests)?;
    area.present()?;
    Ok(())
}

fn panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    (title, most): (&str, u32),
    legend: SeriesLabelPosition,
    courses: &[Course],
    of: fn(&Second) -> u32,
) -> Result<(), Box<dyn Error>> {
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(48)
        .build_cartesian_2d(0..END, 0..most)?;
    chart.configure_mesh().light_line_style(TRANSPARENT).x_desc("seconds").draw()?;
    let down = [(OUTAGE.start, 0), (OUTAGE.end, most)];
    chart
        .draw_series([Rectangle::new(down, BLACK.mix(0.08).filled())])?
        .label("down")
        .legend(|(x, y)| Rectangle::new([(x, y - 5), (x + 20, y + 5)], BLACK.mix(0.15).filled()));
    for (course, color) in courses.iter().zip(COLORS) {
        let points = course.seconds.iter().map(of).enumerate();
        let style = color.stroke_width(2);
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(course.plan)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    chart
        .configure_series_labels()
        .position(legend)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    Ok(())
}
