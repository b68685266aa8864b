//! A report: text, tables and figures in one HTML file without scripts and without anything that is loaded from elsewhere, and
//! the same as Markdown. The same content gives the same bytes.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The look of the page, in the light and in the dark.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem}\
table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums}caption{text-align:left;color:#666;padding-bottom:.3rem}\
td,th{padding:.15rem .8rem;border-bottom:1px solid #ddd;text-align:right}td:first-child,th:first-child{text-align:left}\
figure{margin:1rem 0}figcaption{color:#666}.row{display:flex;flex-wrap:wrap;gap:.6rem}.row figure{margin:0;width:6.5rem}\
.row figcaption{font-size:.75rem;line-height:1.2}.row img{width:6rem;image-rendering:auto}pre{overflow-x:auto;background:#f4f4f4;padding:.6rem}\
svg .bar{fill:#888}svg .chosen{fill:#d55e00}svg text{font:11px system-ui,sans-serif;fill:#444}svg line{stroke:#999}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}td,th{border-color:#444}pre{background:#242424}\
caption,figcaption{color:#aaa}svg .bar{fill:#999}svg text{fill:#ccc}}";

/// A picture in a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPicture {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// Its media type, such as `image/png`.
    pub kind: &'static str,
    /// The text below it.
    pub caption: String,
}

/// A part of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportPart {
    /// A heading of a section.
    Heading(String),
    /// A paragraph of text.
    Text(String),
    /// A table; the first column is text.
    Table {
        /// The text above it.
        caption: String,
        /// The names of its columns.
        heading: Vec<String>,
        /// The rows of text.
        rows: Vec<Vec<String>>,
    },
    /// One picture in its own size.
    Figure(ReportPicture),
    /// Small pictures side by side.
    Row(Vec<ReportPicture>),
    /// A bar for each number, one of them marked.
    Bars {
        /// The text below it.
        caption: String,
        /// The numbers, in their order.
        values: Vec<f64>,
        /// The place of the marked one.
        chosen: usize,
    },
    /// Lines to be typed.
    Commands(Vec<String>),
}

/// The report as a page.
pub fn html(title: &str, parts: &[ReportPart]) -> String {
    let title = escaped(title);
    let body: String = parts.iter().map(html_part).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<h1>{title}</h1>\n{body}</html>\n"
    )
}

/// The report as Markdown; of figures it has the captions.
pub fn markdown(title: &str, parts: &[ReportPart]) -> String {
    let body: String = parts.iter().map(markdown_part).collect();
    format!("# {title}\n\n{body}").trim_end().to_owned() + "\n"
}

fn html_part(part: &ReportPart) -> String {
    match part {
        ReportPart::Heading(text) => format!("<h2>{}</h2>\n", escaped(text)),
        ReportPart::Text(text) => format!("<p>{}</p>\n", escaped(text)),
        ReportPart::Table { caption, heading, rows } => {
            let cells = |cells: &[String], tag: &str| {
                let cell = |cell: &String| format!("<{tag}>{}</{tag}>", escaped(cell));
                cells.iter().map(cell).collect::<Vec<_>>().concat()
            };
            let row = |row: &Vec<String>| format!("<tr>{}</tr>\n", cells(row, "td"));
            let rows = rows.iter().map(row).collect::<Vec<_>>().concat();
            let (caption, heading) = (escaped(caption), cells(heading, "th"));
            format!("<table><caption>{caption}</caption>\n<tr>{heading}</tr>\n{rows}</table>\n")
        }
        ReportPart::Figure(picture) => html_picture(picture),
        ReportPart::Row(pictures) => {
            let pictures: String = pictures.iter().map(html_picture).collect();
            format!("<div class=\"row\">\n{pictures}</div>\n")
        }
        ReportPart::Bars { caption, values, chosen } => {
            format!(
                "<figure>{}<figcaption>{}</figcaption></figure>\n",
                bars(values, *chosen),
                escaped(caption)
            )
        }
        ReportPart::Commands(lines) => format!("<pre>{}</pre>\n", escaped(&lines.join("\n"))),
    }
}

fn html_picture(picture: &ReportPicture) -> String {
    let (kind, caption) = (picture.kind, escaped(&picture.caption));
    let data = STANDARD.encode(&picture.bytes);
    format!(
        "<figure><img alt=\"{caption}\" src=\"data:{kind};base64,{data}\"><figcaption>{caption}</figcaption></figure>\n"
    )
}

fn markdown_part(part: &ReportPart) -> String {
    match part {
        ReportPart::Heading(text) => format!("## {text}\n\n"),
        ReportPart::Text(text) => format!("{text}\n\n"),
        ReportPart::Table { caption, heading, rows } => {
            let line = |cells: &[String]| {
                let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
                format!("| {} |\n", cells.join(" | "))
            };
            let rule = format!("|---|{}\n", "---:|".repeat(heading.len().saturating_sub(1)));
            let rows: String = rows.iter().map(|row| line(row)).collect();
            format!("{caption}\n\n{}{rule}{rows}\n", line(heading))
        }
        ReportPart::Figure(ReportPicture { caption, .. }) | ReportPart::Bars { caption, .. } => {
            format!("*Figure: {caption}*\n\n")
        }
        ReportPart::Row(pictures) => {
            let captions: Vec<&str> = pictures.iter().map(|picture| picture.caption.as_str()).collect();
            format!("*Figures: {}*\n\n", captions.join("; "))
        }
        ReportPart::Commands(lines) => format!("```sh\n{}\n```\n\n", lines.join("\n")),
    }
}

/// Bars over a line at zero, with the ends of the scale and the number of the marked bar.
fn bars(values: &[f64], chosen: usize) -> String {
    const WIDTH: f64 = 880.0;
    const HEIGHT: f64 = 160.0;
    let (low, high) =
        values.iter().fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(*value), high.max(*value)));
    let scale = HEIGHT / (high - low).max(f64::MIN_POSITIVE);
    let (zero, step) = (high * scale + 14.0, WIDTH / values.len().max(1) as f64);
    let mut svg = format!("<svg viewBox=\"0 0 940 {:.0}\" role=\"img\">\n", HEIGHT + 32.0);
    let bar = |at: usize, value: f64| {
        // The colours are also attributes: not every program that prints pages applies styles inside of a figure.
        let (class, fill) = if at == chosen { ("chosen", "#d55e00") } else { ("bar", "#888") };
        let width = if at == chosen { step.max(3.0) } else { step };
        let (x, y) = (50.0 + at as f64 * step, zero - value.max(0.0) * scale);
        format!(
            "<rect class=\"{class}\" fill=\"{fill}\" x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{:.2}\"/>\n",
            value.abs() * scale
        )
    };
    // The marked one is drawn last, over its neighbours.
    let others = values.iter().enumerate().filter(|(at, _)| *at != chosen);
    svg.extend(others.map(|(at, value)| bar(at, *value)));
    svg.extend(values.get(chosen).map(|value| bar(chosen, *value)));
    let end = HEIGHT + 28.0;
    // Writing into a text never fails.
    let _ = write!(
        svg,
        "<line x1=\"50\" x2=\"930\" y1=\"{zero:.2}\" y2=\"{zero:.2}\"/>\n\
         <text x=\"4\" y=\"18\">{high:.2}</text><text x=\"4\" y=\"{:.1}\">{low:.2}</text>\n\
         <text x=\"50\" y=\"{end:.1}\">0</text><text x=\"905\" y=\"{end:.1}\">{}</text>\n</svg>",
        HEIGHT + 14.0,
        values.len().saturating_sub(1)
    );
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_everything_and_loads_nothing() {
        let picture = ReportPicture { bytes: vec![1, 2, 3], kind: "image/png", caption: "a \"<b>\"".into() };
        let parts = [
            ReportPart::Heading("One & two".into()),
            ReportPart::Table {
                caption: "c".into(),
                heading: vec!["name".into(), "n".into()],
                rows: vec![vec!["a|b".into(), "1".into()]],
            },
            ReportPart::Figure(picture.clone()),
            ReportPart::Row(vec![picture]),
            ReportPart::Bars { caption: "bars".into(), values: vec![1.0, -2.0, 0.5], chosen: 1 },
            ReportPart::Commands(vec!["trepang lab".into()]),
        ];
        let page = html("T<", &parts);
        assert!(page.contains("<h2>One &amp; two</h2>") && page.contains("alt=\"a &quot;&lt;b&gt;&quot;\""));
        assert_eq!(page.matches("data:image/png;base64,AQID").count(), 2);
        assert_eq!((page.matches("<rect").count(), page.matches("class=\"chosen\"").count()), (3, 1));
        assert!(!page.contains("<script") && !page.contains("http"));
        let text = markdown("T", &parts);
        assert!(
            text.contains("| a\\|b | 1 |") && text.contains("|---|---:|") && text.starts_with("# T\n"),
            "{text}"
        );
    }
}
