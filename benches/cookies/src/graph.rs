//! The cost by the size of the jar, as an SVG with logarithmic axes and colours for light and dark
//! backgrounds.

use std::fmt::Write;

pub struct Line {
    pub label: &'static str,
    pub colour: &'static str,
    /// The number of cookies in the jar, and nanoseconds.
    pub points: Vec<(f64, f64)>,
}

const LEFT: f64 = 70.0;
const TOP: f64 = 44.0;
const WIDTH: f64 = 500.0;
const HEIGHT: f64 = 300.0;
/// The decades of the axes: 10 to 100,000 cookies, 10 ns to 10 ms.
const COOKIES: (f64, f64) = (1.0, 5.0);
const NANOS: (f64, f64) = (1.0, 7.0);

pub fn draw(title: &str, lines: &[Line]) -> String {
    let x = |cookies: f64| LEFT + WIDTH * (cookies.log10() - COOKIES.0) / (COOKIES.1 - COOKIES.0);
    let y = |nanos: f64| TOP + HEIGHT * (1.0 - (nanos.log10() - NANOS.0) / (NANOS.1 - NANOS.0));
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 400\" font-family=\"sans-serif\" font-size=\"13\" \
         fill=\"#808080\">\n",
    );
    let mut put = |text: String| {
        svg.push_str(&text);
        svg.push('\n');
    };
    put(format!("<text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{title}</text>"));
    let times = ["10 ns", "100 ns", "1 µs", "10 µs", "100 µs", "1 ms", "10 ms"];
    for (decade, label) in (1..).zip(times) {
        let at = y(10_f64.powi(decade));
        put(format!(
            "<path d=\"M{LEFT} {at:.1}h{WIDTH}\" stroke=\"#808080\" stroke-opacity=\".3\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 8.0,
            at + 4.0
        ));
    }
    for (decade, label) in (1..).zip(["10", "100", "1,000", "10,000", "100,000"]) {
        let (at, bottom) = (x(10_f64.powi(decade)), TOP + HEIGHT + 20.0);
        put(format!("<text x=\"{at:.1}\" y=\"{bottom:.1}\" text-anchor=\"middle\">{label}</text>"));
    }
    let (middle, bottom) = (LEFT + WIDTH / 2.0, TOP + HEIGHT + 42.0);
    put(format!(
        "<text x=\"{middle:.1}\" y=\"{bottom:.1}\" text-anchor=\"middle\">cookies in the jar</text>"
    ));
    // Labels are at the ends of their lines, from top to bottom, without overlap.
    let mut free = TOP;
    for Line { label, colour, points } in lines {
        let mut path = String::new();
        for (step, &(cookies, nanos)) in points.iter().enumerate() {
            let _ = write!(path, "{}{:.1} {:.1}", if step == 0 { 'M' } else { 'L' }, x(cookies), y(nanos));
        }
        put(format!("<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>"));
        if let Some(&(cookies, nanos)) = points.last() {
            let (right, at) = (x(cookies) + 8.0, free.max(y(nanos) + 4.0));
            free = at + 16.0;
            put(format!("<text x=\"{right:.1}\" y=\"{at:.1}\" fill=\"{colour}\">{label}</text>"));
        }
    }
    svg.push_str("</svg>\n");
    svg
}
