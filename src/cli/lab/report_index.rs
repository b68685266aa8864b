//! The parts of a report that come from an index of photographs.

use anyhow::Result;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::distance::sentence;
use super::opened_index::{OpenedIndex, name_of};
use super::subject::Subject;
use crate::cli::output;
use crate::config::args::LabReportArgs;
use crate::engine::Picture;
use crate::lab::{
    ChannelRow, ClassDistance, IndexedLayer, LabelArea, PhotographPoints, RankedBy, ReportPart,
    ReportPicture, channel_rows, first, label_areas, label_mix,
};
use crate::worker::{Photographs, resized};

/// Photographs in a row, and their side in pixels.
const SHOWN: usize = 9;
const SIDE: usize = 96;

/// The quality of their JPEGs.
const QUALITY: u8 = 85;

/// Rows of the table of distances, and labels that are named.
const ROWS: usize = 8;
const NAMED: usize = 5;

/// The photographs that the channel answers to, what it tells apart, and the picture's distances.
pub(super) fn index_parts(
    args: &LabReportArgs,
    subject: &mut Subject,
    (index, layer): (&OpenedIndex, &IndexedLayer),
    means: &[f64],
) -> Result<Vec<ReportPart>> {
    let rows = channel_rows(&index.folder, &index.manifest, layer, args.channel)?;
    let mut parts = vec![ReportPart::Heading("Photographs".into()), selectivity(&rows, subject)];
    let photographs = Photographs::open(&index.manifest, None);
    match photographs {
        Ok(photographs) => {
            for (by, name) in
                [(RankedBy::Mean, "mean"), (RankedBy::Relevance, "relevance to their own class")]
            {
                let chosen = first(&rows, by, SHOWN);
                if !chosen.is_empty() {
                    parts.push(ReportPart::Text(format!(
                        "The first of {} by the channel's {name}, cut down to what it saw:",
                        rows.len()
                    )));
                    parts.push(row(args, subject, &photographs, layer, (&chosen, by))?);
                }
            }
        }
        Err(error) => output::remark(format_args!("the report has no photographs: {error:#}")),
    }
    parts.extend(distances(args, subject, (index, layer), means)?);
    Ok(parts)
}

/// The picture's distances from each class.
fn distances(
    args: &LabReportArgs,
    subject: &Subject,
    (index, layer): (&OpenedIndex, &IndexedLayer),
    means: &[f64],
) -> Result<[ReportPart; 3]> {
    let points = PhotographPoints::read(&index.folder, &index.manifest, layer)?;
    let found = points.measure(means, None, args.subject.seed);
    let told = ReportPart::Text(format!("{}.", sentence(&found, &subject.trained)));
    let distance = |class: &ClassDistance| {
        let maybe = |number: Option<f64>| number.map_or_else(|| "-".into(), |number| format!("{number:.2}"));
        vec![
            name_of(Some(&class.label), &subject.trained),
            class.photographs.to_string(),
            format!("{:.2}", class.mahalanobis),
            maybe(class.own_mean),
            maybe(class.z),
            format!("{:.4}", class.rank),
            format!("{:.3}", class.cosine),
        ]
    };
    let table = ReportPart::Table {
        caption: format!(
            "The picture and the nearest classes of {} photographs: Mahalanobis distance of directions, and the mean of the \
             photographs' own, each left out.",
            found.photographs
        ),
        heading: ["class", "n", "distance", "their own", "z", "rank", "cosine"].map(String::from).to_vec(),
        rows: found.classes.iter().take(ROWS).map(distance).collect(),
    };
    Ok([ReportPart::Heading("Distances".into()), told, table])
}

/// The classes that the channel tells apart, in words.
fn selectivity(rows: &[ChannelRow], subject: &Subject) -> ReportPart {
    let named = |label: &str| name_of(Some(label), &subject.trained);
    let mix: Vec<String> = label_mix(rows, RankedBy::Mean)
        .iter()
        .take(NAMED)
        .map(|count| format!("{} {}", count.pictures, named(&count.label)))
        .collect();
    let areas: Vec<String> = label_areas(rows)
        .iter()
        .take(NAMED)
        .map(|area| {
            let LabelArea { label, auc, p, pictures, .. } = area;
            format!("{} {auc:.3} (n = {pictures}, p {p:.0e})", named(label))
        })
        .collect();
    ReportPart::Text(format!(
        "Among the first hundred photographs are {}. The channel's mean tells a class from all others best (AUC): {}.",
        mix.join(", "),
        areas.join(", ")
    ))
}

/// Photographs side by side.
fn row(
    args: &LabReportArgs,
    subject: &mut Subject,
    photographs: &Photographs,
    layer: &IndexedLayer,
    (chosen, by): (&[&ChannelRow], RankedBy),
) -> Result<ReportPart> {
    let mut pictures = Vec::with_capacity(chosen.len());
    for row in chosen {
        let part = photographs.part(
            (subject.model.as_mut(), &subject.trained.network),
            (layer, args.channel),
            row,
        )?;
        let value = row.value(by).unwrap_or_default();
        let label = name_of(row.label.as_deref(), &subject.trained);
        let caption = format!("{value:.3} {label}");
        pictures.push(ReportPicture { bytes: jpeg(&resized(&part, SIDE))?, kind: "image/jpeg", caption });
    }
    Ok(ReportPart::Row(pictures))
}

fn jpeg(picture: &Picture) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let (width, height) = (picture.width as u32, picture.height as u32);
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).write_image(
        &picture.rgb,
        width,
        height,
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}
