//! Draws what `benches/growth.sh` measured: a table on stdin, an SVG on stdout.
//!
//! The first line names the columns, the first column is what grew; every other one
//! becomes a panel of its own. Both axes are logarithmic, so that work in proportion is
//! a straight line with the slope of the dashed one.

use std::fmt::Write as _;
use std::io::{self, Read, Write as _};

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 46.0;

fn main() -> io::Result<()> {
    let mut table = String::new();
    io::stdin().read_to_string(&mut table)?;
    io::stdout().write_all(svg(&table).as_bytes())
}

fn svg(table: &str) -> String {
    let mut lines = table.lines().map(|line| line.split('\t'));
    let names: Vec<&str> = lines.next().expect("a first line with names").collect();
    let number = |cell: &str| cell.parse::<f64>().expect("a number");
    let rows: Vec<Vec<f64>> = lines.map(|cells| cells.map(number).collect()).collect();
    let panels = names.len() - 1;
    let width = WIDTH * f64::from(u32::try_from(panels).expect("few columns"));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" \
         width=\"{width}\" height=\"{HEIGHT}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    let mut offset = 0.0;
    for (column, name) in names.iter().enumerate().skip(1) {
        let points = rows.iter().map(|row| (row[0], row[column])).collect();
        let _ = writeln!(out, "<g transform=\"translate({offset} 0)\">");
        out += &Panel::new(points).draw(names[0], name);
        out += "</g>\n";
        offset += WIDTH;
    }
    out + "</svg>\n"
}

struct Panel {
    points: Vec<(f64, f64)>,
    x: Axis,
    y: Axis,
}

impl Panel {
    fn new(points: Vec<(f64, f64)>) -> Self {
        let x = Axis::over(points.iter().map(|point| point.0), LEFT, WIDTH - RIGHT);
        let y = Axis::over(points.iter().map(|point| point.1), HEIGHT - BOTTOM, TOP);
        Self { points, x, y }
    }

    fn draw(&self, across: &str, up: &str) -> String {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        let mut out = format!(
            "<text x=\"{LEFT}\" y=\"20\" font-weight=\"bold\">{up}</text>\n\
             <text x=\"{right}\" y=\"{}\" text-anchor=\"end\">{across}</text>\n",
            HEIGHT - 10.0
        );
        for (value, at) in self.x.ticks() {
            out += &line((at, TOP), (at, bottom), "#dddddd", "");
            out += &label((at, bottom + 16.0), "middle", value);
        }
        for (value, at) in self.y.ticks() {
            out += &line((LEFT, at), (right, at), "#dddddd", "");
            out += &label((LEFT - 6.0, at + 4.0), "end", value);
        }
        out + &self.proportion() + &self.curve()
    }

    /// What growth in proportion to the last point would look like.
    fn proportion(&self) -> String {
        let Some(&(x, y)) = self.points.last() else { return String::new() };
        let start = self.x.from.max(x * self.y.from / y);
        let from = (self.x.at(start), self.y.at(y * start / x));
        line(from, (self.x.at(x), self.y.at(y)), "#999999", " stroke-dasharray=\"4 4\"")
    }

    fn curve(&self) -> String {
        let places = || self.points.iter().map(|&(x, y)| (self.x.at(x), self.y.at(y)));
        let mut path = String::new();
        let mut dots = String::new();
        for (x, y) in places() {
            let _ = write!(path, "{x:.1},{y:.1} ");
            let _ =
                writeln!(dots, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"#1f5fa8\"/>");
        }
        let path = path.trim_end();
        format!("<polyline points=\"{path}\" fill=\"none\" stroke=\"#1f5fa8\"/>\n{dots}")
    }
}

/// A logarithmic axis from one power of ten to another.
struct Axis {
    from: f64,
    to: f64,
    begin: f64,
    end: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone, begin: f64, end: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min).max(1e-3);
        let most = values.fold(1e-3, f64::max);
        let from = 10_f64.powf(least.log10().floor());
        let to = 10_f64.powf(most.log10().ceil()).max(from * 10.0);
        Self { from, to, begin, end }
    }

    fn at(&self, value: f64) -> f64 {
        let part = (value.max(self.from) / self.from).log10() / (self.to / self.from).log10();
        self.begin + part * (self.end - self.begin)
    }

    /// Powers of ten and where they are.
    fn ticks(&self) -> Vec<(f64, f64)> {
        let powers = std::iter::successors(Some(self.from), |power| Some(power * 10.0));
        powers.take_while(|power| *power < self.to * 2.0).map(|it| (it, self.at(it))).collect()
    }
}

fn line(from: (f64, f64), to: (f64, f64), colour: &str, more: &str) -> String {
    format!(
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\"{more}/>\n",
        from.0, from.1, to.0, to.1
    )
}

fn label(at: (f64, f64), anchor: &str, value: f64) -> String {
    let text = if value < 1.0 { format!("{value:.3}") } else { thousands(value) };
    let text = if value < 1.0 { text.trim_end_matches('0').to_owned() } else { text };
    format!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{text}</text>\n", at.0, at.1)
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
