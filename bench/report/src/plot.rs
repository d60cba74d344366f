//! The plots, as SVG.

use std::{error::Error, path::Path};

use plotters::{
    element::DashedPathElement,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::{
    data::{Hypervisor, USUAL},
    names::{OPERATIONS, figure, number, ways},
    table::shown_guests,
};

type Outcome = Result<(), Box<dyn Error>>;

const FONT: &str = "Helvetica, Arial, DejaVu Sans, sans-serif";
const INK: RGBColor = RGBColor(34, 34, 34);
const FAINT: RGBColor = RGBColor(222, 222, 222);

// Okabe and Ito's colours, which people who see fewer colours can tell apart.
const BLUE: RGBColor = RGBColor(0, 114, 178);
const ORANGE: RGBColor = RGBColor(230, 159, 0);
const GREEN: RGBColor = RGBColor(0, 158, 115);
const VERMILION: RGBColor = RGBColor(213, 94, 0);
const PURPLE: RGBColor = RGBColor(204, 121, 167);
const SKY: RGBColor = RGBColor(86, 180, 233);
const GREY: RGBColor = RGBColor(120, 120, 120);

fn font(size: u32) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK)
}

fn placed(size: u32, h: HPos, v: VPos) -> TextStyle<'static> {
    font(size).pos(Pos::new(h, v))
}

fn colour(way: &str) -> RGBColor {
    match way {
        "this" => BLUE,
        "floor" => GREY,
        "classic-2" => VERMILION,
        way if way.starts_with("classic") => ORANGE,
        way if way.starts_with("interop") => PURPLE,
        way if way.starts_with("list") => SKY,
        "retake" => INK,
        _ => GREEN,
    }
}

// --- time against domains -----------------------------------------------------------------------

const WIDTH: u32 = 960;
const HEIGHT: u32 = 560;
/// Room for the names of the lines.
const LABELS: u32 = 225;
const LINE: i32 = 17;

struct Line {
    name: &'static str,
    way: &'static str,
    points: Vec<(f64, f64)>,
}

/// The powers of ten of a range, its ends rounded outwards.
fn decades(least: f64, most: f64) -> impl Iterator<Item = f64> {
    (least.log10().floor() as i32..=most.log10().ceil() as i32).map(|e| 10f64.powi(e))
}

/// A time with its unit: 10 µs, 1 ms, 10 s.
fn duration(us: f64) -> String {
    let (value, unit) = match us {
        us if us < 0.9995 => (us * 1e3, "ns"),
        us if us < 999.5 => (us, "µs"),
        us if us < 999.5e3 => (us / 1e3, "ms"),
        us => (us / 1e6, "s"),
    };
    if value.fract() == 0. {
        format!("{value:.0} {unit}")
    } else {
        format!("{} {unit}", figure(value))
    }
}

/// The heights of labels that would like to be at these: as near as they can be without touching.
/// The heights ascend, and so do the results.
fn apart(wanted: &[i32], room: i32, most: i32) -> Vec<i32> {
    let mut placed: Vec<i32> = Vec::with_capacity(wanted.len());
    for &y in wanted {
        let least = placed.last().map_or(i32::MIN, |last| last + room);
        placed.push(y.max(least));
    }
    // Back from the lower edge.
    let mut limit = most;
    for y in placed.iter_mut().rev() {
        *y = (*y).min(limit);
        limit = *y - room;
    }
    placed
}

/// Time per call against domains, a line for each way, both axes logarithmic.
fn against_domains(h: &Hypervisor, operation: &str, heading: &str, file: &Path) -> Outcome {
    let lines: Vec<Line> = ways(operation)
        .iter()
        .map(|&(way, name)| Line {
            name,
            way,
            points: h
                .guests()
                .iter()
                .filter_map(|&n| Some((f64::from(n + 1), h.time(USUAL, n, operation, way)?.median)))
                .collect(),
        })
        .filter(|line| !line.points.is_empty())
        .collect();
    let xs = || lines.iter().flat_map(|line| line.points.iter().map(|p| p.0));
    let ys = || lines.iter().flat_map(|line| line.points.iter().map(|p| p.1));
    let Some(x_most) = xs().max_by(f64::total_cmp) else {
        return Ok(());
    };
    let (y_least, y_most) =
        (ys().min_by(f64::total_cmp).unwrap_or(1.), ys().max_by(f64::total_cmp).unwrap_or(1.));
    // A plot that ends where its lines do, not at the next power of ten.
    let (left, right) = (1.7, x_most * 1.05);
    let (bottom, top) = (y_least / 1.6, y_most * 1.6);

    let root = SVGBackend::new(file, (WIDTH, HEIGHT)).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(format!("{heading}: time per call"), (24, 18), font(21)))?;
    root.draw(&Text::new(
        format!("{}; medians, native code, one thread, the result dropped", h.title()),
        (24, 46),
        font(14),
    ))?;
    let chart = ChartBuilder::on(&root)
        .margin_top(84)
        .margin_right(LABELS)
        .margin_left(24)
        .margin_bottom(14)
        .x_label_area_size(46)
        .y_label_area_size(58)
        .build_cartesian_2d((left..right).log_scale(), (bottom..top).log_scale())?;

    // The axes by hand: a line for each power of ten, a tick for each number of domains measured.
    let area = chart.plotting_area();
    let at = |x, y| area.map_coordinate(&(x, y));
    for y in decades(bottom, top).filter(|y| (bottom..=top).contains(y)) {
        area.draw(&PathElement::new([(left, y), (right, y)], FAINT))?;
        let (x, y_pixel) = at(left, y);
        root.draw(&Text::new(
            duration(y),
            (x - 8, y_pixel),
            placed(14, HPos::Right, VPos::Center),
        ))?;
    }
    for n in h.guests() {
        let x = f64::from(n + 1);
        area.draw(&PathElement::new([(x, bottom), (x, top)], FAINT))?;
        let (x_pixel, y) = at(x, bottom);
        root.draw(&Text::new(
            number(u64::from(n) + 1),
            (x_pixel, y + 8),
            placed(14, HPos::Center, VPos::Top),
        ))?;
    }
    let (middle, y) = ((at(left, bottom).0 + at(right, bottom).0) / 2, at(left, bottom).1);
    root.draw(&Text::new(
        "domains, dom0 among them",
        (middle, y + 30),
        placed(14, HPos::Center, VPos::Top),
    ))?;

    for line in &lines {
        let colour = colour(line.way);
        let points = line.points.clone();
        let (width, size) = if line.way == "this" { (4, 5) } else { (2, 4) };
        if line.way == "floor" {
            area.draw(&DashedPathElement::new(points, 7, 5, colour.stroke_width(width)))?;
        } else {
            area.draw(&PathElement::new(points, colour.stroke_width(width)))?;
        }
        for &point in &line.points {
            area.draw(&Circle::new(point, size, colour.filled()))?;
        }
    }

    // Each line's name beside its end.
    let mut ends: Vec<(i32, &Line)> = lines
        .iter()
        .map(|line| {
            let &(x, y) = line.points.last().expect("lines without points are left out");
            (at(x, y).1, line)
        })
        .collect();
    ends.sort_by_key(|end| end.0);
    let wanted: Vec<i32> = ends.iter().map(|end| end.0).collect();
    let x = at(right, bottom).0 + 14;
    for (y, (end, line)) in apart(&wanted, LINE, HEIGHT as i32 - 60).into_iter().zip(&ends) {
        let &(last, _) = line.points.last().expect("as above");
        let from = at(last, 1.).0 + 6;
        let colour = colour(line.way);
        root.draw(&PathElement::new(vec![(from, *end), (x - 4, y)], colour.mix(0.45)))?;
        let letters = text_colour(line.way);
        let mut style = placed(14, HPos::Left, VPos::Center).color(&letters);
        if line.way == "this" {
            style.font = style.font.style(FontStyle::Bold);
        }
        root.draw(&Text::new(line.name, (x, y), style))?;
    }
    root.present()?;
    Ok(())
}

/// Some are too pale for letters.
fn text_colour(way: &str) -> RGBColor {
    match colour(way) {
        ORANGE => RGBColor(150, 100, 0),
        PURPLE => RGBColor(150, 70, 115),
        SKY => RGBColor(20, 110, 165),
        GREY => RGBColor(90, 90, 90),
        other => other,
    }
}

// --- breakdown ----------------------------------------------------------------------------------

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Hypercall,
    Bounce,
    Records,
    Copy,
    Search,
}

impl Part {
    const ALL: [Part; 5] = [Part::Hypercall, Part::Bounce, Part::Records, Part::Copy, Part::Search];

    fn name(self) -> &'static str {
        match self {
            Part::Hypercall => "hypercall alone",
            Part::Bounce => "libxenctrl: mapping, bouncing",
            Part::Records => "OCaml records",
            Part::Copy => "copy kept",
            Part::Search => "search or sum",
        }
    }

    fn colour(self) -> RGBColor {
        match self {
            Part::Hypercall => GREY,
            Part::Bounce => ORANGE,
            Part::Records => BLUE,
            Part::Copy => GREEN,
            Part::Search => PURPLE,
        }
    }
}

/// A way's time in its parts.
#[derive(Debug, PartialEq)]
struct Bar {
    name: &'static str,
    parts: Vec<(Part, f64)>,
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Bar {
    fn total(&self) -> f64 {
        self.parts.iter().map(|part| part.1).sum()
    }
}

/// Bars of one operation: what each way takes, less what the ways that it contains take.
fn bars(h: &Hypervisor, guests: u32, operation: &str) -> Vec<Bar> {
    use Part::*;

    let time = |operation, way| h.time(USUAL, guests, operation, way).map(|t| t.median);
    // Each step: the part, and the time up to and with it.
    let bar = |way: &str, steps: &[(Part, Option<f64>)]| {
        let name = ways(operation).iter().find(|w| w.0 == way)?.1;
        let total = steps.last()?.1?;
        let mut before = 0.;
        let mut parts = Vec::new();
        for &(part, until) in steps {
            // A part that is lost in the noise is none.
            let until = until?.clamp(before, total.max(before));
            parts.push((part, until - before));
            before = until;
        }
        Some(Bar { name, parts })
    };
    let floor = (Hypercall, time(operation, "floor"));
    let bare = (Bounce, time("list", "bare-1024"));
    let list = |way| (Records, time("list", way));
    let whole = |part, way| (part, time(operation, way));
    let all = match operation {
        "list" => vec![
            bar("classic-1024", &[floor, bare, list("classic-1024")]),
            bar("interop", &[floor, list("interop")]),
            bar("this", &[floor, list("this")]),
        ],
        "find" => vec![
            bar(
                "classic-1024-filter",
                &[floor, bare, list("classic-1024"), whole(Search, "classic-1024-filter")],
            ),
            bar("interop-filter", &[floor, list("interop"), whole(Search, "interop-filter")]),
            bar("list-filter", &[floor, list("this"), whole(Search, "list-filter")]),
            bar("this", &[floor, whole(Search, "this")]),
        ],
        _ => vec![
            bar(
                "classic-1024-fold",
                &[floor, bare, list("classic-1024"), whole(Search, "classic-1024-fold")],
            ),
            bar("interop-fold", &[floor, list("interop"), whole(Search, "interop-fold")]),
            bar("list-fold", &[floor, list("this"), whole(Search, "list-fold")]),
            bar("this", &[floor, whole(Copy, "retake"), whole(Search, "this")]),
        ],
    };
    all.into_iter().flatten().collect()
}

fn breakdown(h: &Hypervisor, file: &Path) -> Outcome {
    const NAMES: i32 = 240;
    const BAR: i32 = 22;
    const STEP: i32 = 30;

    let Some(guests) = shown_guests(h) else { return Ok(()) };
    let groups: Vec<(&str, Vec<Bar>)> = OPERATIONS
        .iter()
        .filter(|(operation, _)| *operation != "getinfo")
        .map(|&(operation, heading)| (heading, bars(h, guests, operation)))
        .filter(|(_, bars)| !bars.is_empty())
        .collect();
    let longest =
        groups.iter().flat_map(|(_, bars)| bars.iter().map(Bar::total)).fold(0., f64::max);
    let rows: i32 = groups.iter().map(|(_, bars)| bars.len() as i32).sum();
    let height = 138 + rows * STEP + groups.len() as i32 * 40;

    let root = SVGBackend::new(file, (WIDTH, height as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(
        format!("Where the time of a call goes, with {} domains", number(u64::from(guests) + 1)),
        (24, 18),
        font(21),
    ))?;
    root.draw(&Text::new(
        format!("{}; medians, native code, one thread, the result dropped", h.title()),
        (24, 46),
        font(14),
    ))?;
    let used = |part: Part| {
        groups.iter().any(|(_, bars)| bars.iter().any(|b| b.parts.iter().any(|p| p.0 == part)))
    };
    let mut x = 24;
    for part in Part::ALL.into_iter().filter(|&part| used(part)) {
        root.draw(&Rectangle::new([(x, 77), (x + 14, 91)], part.colour().filled()))?;
        root.draw(&Text::new(part.name(), (x + 20, 84), placed(13, HPos::Left, VPos::Center)))?;
        x += 44 + 7 * part.name().chars().count() as i32;
    }

    // Room after the longest bar for its figure.
    let scale = f64::from(WIDTH as i32 - NAMES - 24 - 80) / longest;
    let mut y = 112;
    for (heading, bars) in &groups {
        let mut style = placed(15, HPos::Left, VPos::Center);
        style.font = style.font.style(FontStyle::Bold);
        root.draw(&Text::new(*heading, (24, y + 16), style))?;
        y += 34;
        for bar in bars {
            let middle = y + BAR / 2;
            root.draw(&Text::new(
                bar.name,
                (NAMES - 8, middle),
                placed(14, HPos::Right, VPos::Center),
            ))?;
            let mut from = 0.;
            for &(part, length) in &bar.parts {
                let at = |x: f64| NAMES + (x * scale).round() as i32;
                root.draw(&Rectangle::new(
                    [(at(from), y), (at(from + length), y + BAR)],
                    part.colour().filled(),
                ))?;
                from += length;
            }
            let end = NAMES + (bar.total() * scale).round() as i32;
            root.draw(&Text::new(
                duration(bar.total()),
                (end + 8, middle),
                placed(14, HPos::Left, VPos::Center),
            ))?;
            y += STEP;
        }
        y += 6;
    }
    root.present()?;
    Ok(())
}

/// All plots of one hypervisor.
pub fn plots(h: &Hypervisor, folder: &Path) -> Outcome {
    for (operation, heading) in OPERATIONS {
        if operation != "getinfo" {
            against_domains(
                h,
                operation,
                heading,
                &folder.join(format!("{}-{operation}.svg", h.name)),
            )?;
        }
    }
    breakdown(h, &folder.join(format!("{}-breakdown.svg", h.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_touch() {
        assert_eq!(apart(&[10, 50, 90], 17, 200), [10, 50, 90]);
        assert_eq!(apart(&[10, 12, 13], 17, 200), [10, 27, 44]);
        assert_eq!(apart(&[190, 195, 199], 17, 200), [166, 183, 200]);
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration(0.5), "500 ns");
        assert_eq!(duration(1.), "1 µs");
        assert_eq!(duration(23.4), "23.4 µs");
        assert_eq!(duration(1e3), "1 ms");
        assert_eq!(duration(1e7), "10 s");
    }

    #[test]
    fn powers_of_ten() {
        assert_eq!(decades(0.3, 20.).collect::<Vec<_>>(), [0.1, 1., 10., 100.]);
    }
}
