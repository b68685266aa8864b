//! A figure as SVG.

use std::fmt::Write as _;

use super::{Anchor, Figure, FigurePart, Ink};

/// The height of the letters: as wide a text as the bitmap font's, or narrower.
const FONT: &str = "font-family=\"DejaVu Sans, Verdana, Helvetica, Arial, sans-serif\" font-size=\"12\"";

pub(super) fn written(figure: &Figure) -> String {
    let Figure { width, height, parts } = figure;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" {FONT}>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for part in parts {
        // Writing into a text never fails.
        let _ = writeln!(svg, "{}", element(part));
    }
    svg + "</svg>\n"
}

fn element(part: &FigurePart) -> String {
    match part {
        FigurePart::Line { points, width, ink } => format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\"/>",
            list(points),
            hex(*ink)
        ),
        FigurePart::Polygon { points, ink } => {
            format!("<polygon points=\"{}\" fill=\"{}\"/>", list(points), hex(*ink))
        }
        FigurePart::Circle { centre: [x, y], radius, ink } => {
            format!("<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius}\" fill=\"{}\"/>", hex(*ink))
        }
        FigurePart::Text { at: [x, y], anchor, text, ink } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            format!(
                "<text x=\"{x:.2}\" y=\"{y:.2}\" text-anchor=\"{anchor}\" fill=\"{}\">{}</text>",
                hex(*ink),
                escaped(text)
            )
        }
    }
}

fn list(points: &[[f64; 2]]) -> String {
    points.iter().map(|[x, y]| format!("{x:.2},{y:.2}")).collect::<Vec<_>>().join(" ")
}

fn hex([red, green, blue]: Ink) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text without what XML gives a meaning to, or does not allow.
fn escaped(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_written_part_by_part() {
        let mut figure = Figure::new(20, 10);
        figure.line(vec![[1.0, 2.0], [3.5, 4.0]], 1.5, [255, 0, 16]);
        figure.text([5.0, 6.0], Anchor::End, "a < b\u{1}");
        let svg = figure.svg();
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("points=\"1.00,2.00 3.50,4.00\" fill=\"none\" stroke=\"#ff0010\""), "{svg}");
        assert!(svg.contains("text-anchor=\"end\" fill=\"#222222\">a &lt; b </text>"), "{svg}");
    }
}
