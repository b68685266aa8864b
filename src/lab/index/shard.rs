//! A shard of an index: a parquet file with a row a picture. One column a channel, not lists: programs disagree about those,
//! and who wants one channel reads one column. Numbers are stored as they are, since compression takes little off them.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FloatType, Int32Type};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::manifest::IndexedLayer;
use super::row::{ChannelNumbers, IndexRow, RowLabel};
use crate::lab::error::{Error, Result};

/// Keys of the footer: what the shard belongs to, and how many pictures of the data set it has seen, those without a row
/// included.
const KEY: &str = "trepang.index";
const SEEN: &str = "trepang.pictures_seen";

/// A column with its values, of which those with a level of 0 are absent.
struct Column {
    name: String,
    values: ColumnValues,
    levels: Option<Vec<i16>>,
}

enum ColumnValues {
    Integers(Vec<i32>),
    Numbers(Vec<f32>),
    Texts(Vec<ByteArray>),
    Bytes(Vec<ByteArray>),
}

impl Column {
    fn whole(name: impl Into<String>, values: ColumnValues) -> Self {
        Self { name: name.into(), values, levels: None }
    }

    /// A column of which some values may be absent.
    fn partly<T>(name: impl Into<String>, values: &[Option<T>], of: impl Fn(&[&T]) -> ColumnValues) -> Self {
        let levels = values.iter().map(|value| i16::from(value.is_some())).collect();
        let there: Vec<&T> = values.iter().flatten().collect();
        Self { name: name.into(), values: of(&there), levels: Some(levels) }
    }

    /// Its line of the schema.
    fn field(&self) -> String {
        let repetition = if self.levels.is_some() { "optional" } else { "required" };
        let (kind, meaning) = match self.values {
            ColumnValues::Integers(_) => ("int32", ""),
            ColumnValues::Numbers(_) => ("float", ""),
            ColumnValues::Texts(_) => ("binary", " (STRING)"),
            ColumnValues::Bytes(_) => ("binary", ""),
        };
        format!("{repetition} {kind} {}{meaning};", self.name)
    }

    fn write(&self, group: &mut SerializedRowGroupWriter<'_, Vec<u8>>) -> ParquetResult<()> {
        let mut column =
            group.next_column()?.ok_or_else(|| ParquetError::General("a column too many".into()))?;
        let levels = self.levels.as_deref();
        match &self.values {
            ColumnValues::Integers(values) => {
                column.typed::<Int32Type>().write_batch(values, levels, None)?
            }
            ColumnValues::Numbers(values) => column.typed::<FloatType>().write_batch(values, levels, None)?,
            ColumnValues::Texts(values) | ColumnValues::Bytes(values) => {
                column.typed::<ByteArrayType>().write_batch(values, levels, None)?
            }
        };
        column.close()
    }
}

/// A name for each channel's column: as many digits as the last needs, and three at least, so that they sort.
pub(super) fn channel_column(what: &str, channel: usize, channels: usize) -> String {
    let digits = channels.saturating_sub(1).to_string().len().max(3);
    format!("{what}_{channel:0digits$}")
}

/// All columns of a layer's shard.
fn columns(layer: &IndexedLayer, rows: &[IndexRow]) -> Vec<Column> {
    let integers = |name: &str, of: fn(&RowLabel) -> Option<usize>| {
        let values: Vec<Option<i32>> =
            rows.iter().map(|row| of(&row.label).map(|class| class as i32)).collect();
        Column::partly(name, &values, |there| {
            ColumnValues::Integers(there.iter().map(|value| **value).collect())
        })
    };
    let texts = |name: &str, of: fn(&RowLabel) -> Option<&str>| {
        let values: Vec<Option<&str>> = rows.iter().map(|row| of(&row.label)).collect();
        Column::partly(name, &values, |there| {
            ColumnValues::Texts(there.iter().map(|text| ByteArray::from(**text)).collect())
        })
    };
    let files = rows.iter().map(|row| ByteArray::from(row.file.as_str())).collect();
    let mut columns = vec![
        Column::whole("picture", ColumnValues::Integers(rows.iter().map(|row| row.picture as i32).collect())),
        Column::whole("file", ColumnValues::Texts(files)),
        texts("label", |label| label.label.as_deref()),
        texts("wnid", |label| label.wnid.as_deref()),
        integers("class", |label| label.class),
        integers("predicted", |label| label.predicted),
    ];
    let name = |what: &str, channel| channel_column(what, channel, layer.channels);
    for channel in 0..layer.channels {
        let values = rows.iter().map(|row| row.numbers.means[channel]).collect();
        columns.push(Column::whole(name("mean", channel), ColumnValues::Numbers(values)));
    }
    for channel in 0..layer.channels {
        let values = rows.iter().map(|row| row.numbers.maxima[channel]).collect();
        columns.push(Column::whole(name("max", channel), ColumnValues::Numbers(values)));
    }
    for channel in 0..layer.channels {
        let values = rows.iter().map(|row| row.numbers.places[channel]).collect();
        columns.push(Column::whole(name("at", channel), ColumnValues::Integers(values)));
    }
    for channel in 0..if layer.relevance { layer.channels } else { 0 } {
        let values: Vec<Option<f32>> =
            rows.iter().map(|row| row.numbers.relevance.as_ref().map(|numbers| numbers[channel])).collect();
        let numbers = |there: &[&f32]| ColumnValues::Numbers(there.iter().map(|value| **value).collect());
        columns.push(Column::partly(name("relevance", channel), &values, numbers));
    }
    if layer.full {
        let bytes = |row: &IndexRow| {
            let values = row.numbers.activation.iter().flatten();
            ByteArray::from(values.flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
        };
        columns.push(Column::whole("activation", ColumnValues::Bytes(rows.iter().map(bytes).collect())));
    }
    columns
}

/// The bytes of a shard. The same rows give the same bytes.
pub(super) fn encode(layer: &IndexedLayer, key: &str, seen: usize, rows: &[IndexRow]) -> Result<Vec<u8>> {
    let columns = columns(layer, rows);
    let fields: String = columns.iter().map(Column::field).collect();
    let schema = parse_message_type(&format!("message index {{{fields}}}"))?;
    let pair = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let shape = [layer.channels, layer.height, layer.width].map(|side| side.to_string()).join(",");
    let pairs = vec![
        pair(KEY, key.to_owned()),
        pair(SEEN, seen.to_string()),
        pair("trepang.layer", layer.layer.clone()),
        pair("trepang.shape", shape),
    ];
    // Without dictionaries and page indices: they help nobody who reads whole columns of numbers.
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_key_value_metadata(Some(pairs))
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    columns.iter().try_for_each(|column| column.write(&mut group))?;
    group.close()?;
    Ok(writer.into_inner()?)
}

/// A shard on the disk. Columns are read one by one.
pub struct ShardFile {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    places: HashMap<String, usize>,
}

impl std::fmt::Debug for ShardFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShardFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Pictures of the data set that these shards have seen, those without a row among them.
pub fn pictures_seen(shards: &[PathBuf]) -> Result<usize> {
    let seen = |path: &PathBuf| {
        let shard = ShardFile::open(path)?;
        Ok(shard.value(SEEN).and_then(|seen| seen.parse::<usize>().ok()).unwrap_or(0))
    };
    shards.iter().map(seen).sum()
}

impl ShardFile {
    /// Fails for a file that is not whole.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::ReadFile { path: path.into(), source })?;
        let damaged = |source| Error::DamagedShard { path: path.into(), source };
        let reader = SerializedFileReader::new(file).map_err(damaged)?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let places =
            schema.columns().iter().enumerate().map(|(at, column)| (column.name().to_owned(), at)).collect();
        Ok(Self { path: path.into(), reader, places })
    }

    /// A value of the footer.
    fn value(&self, key: &str) -> Option<&str> {
        let pairs = self.reader.metadata().file_metadata().key_value_metadata()?;
        pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
    }

    /// Pictures of the data set that the shard has seen; none if it belongs to another index.
    pub(super) fn seen(&self, key: &str) -> Option<usize> {
        self.value(SEEN).filter(|_| self.value(KEY) == Some(key))?.parse().ok()
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        usize::try_from(self.reader.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// Whether all of its pictures were skipped.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn failed(&self, source: ParquetError) -> Error {
        Error::DamagedShard { path: self.path.clone(), source }
    }

    fn column(&self, name: &str) -> ParquetResult<ColumnReader> {
        let missing = || ParquetError::General(format!("it has no column {name}"));
        let place = *self.places.get(name).ok_or_else(missing)?;
        self.reader.get_row_group(0)?.get_column_reader(place)
    }

    /// A column of numbers.
    pub fn numbers(&self, name: &str) -> Result<Vec<Option<f32>>> {
        let read = self.column(name).and_then(|column| {
            let ColumnReader::FloatColumnReader(reader) = column else {
                return Err(other_kind(name, "numbers"));
            };
            read(reader, self.len())
        });
        read.map_err(|error| self.failed(error))
    }

    /// A column of integers.
    pub fn integers(&self, name: &str) -> Result<Vec<Option<i32>>> {
        let read = self.column(name).and_then(|column| {
            let ColumnReader::Int32ColumnReader(reader) = column else {
                return Err(other_kind(name, "integers"));
            };
            read(reader, self.len())
        });
        read.map_err(|error| self.failed(error))
    }

    /// A column of bytes.
    fn bytes(&self, name: &str) -> Result<Vec<Option<ByteArray>>> {
        let read = self.column(name).and_then(|column| {
            let ColumnReader::ByteArrayColumnReader(reader) = column else {
                return Err(other_kind(name, "bytes"));
            };
            read(reader, self.len())
        });
        read.map_err(|error| self.failed(error))
    }

    /// A column of texts.
    pub fn texts(&self, name: &str) -> Result<Vec<Option<String>>> {
        let text = |bytes: ByteArray| String::from_utf8_lossy(bytes.data()).into_owned();
        Ok(self.bytes(name)?.into_iter().map(|value| value.map(text)).collect())
    }

    /// A channel's column: its `mean`, `max` or `relevance`.
    pub fn channel(&self, what: &str, channel: usize, layer: &IndexedLayer) -> Result<Vec<Option<f32>>> {
        self.numbers(&channel_column(what, channel, layer.channels))
    }

    /// The positions of a channel's maxima, `y * width + x`.
    pub fn places(&self, channel: usize, layer: &IndexedLayer) -> Result<Vec<Option<i32>>> {
        self.integers(&channel_column("at", channel, layer.channels))
    }

    /// All rows, with the channels' numbers.
    pub(super) fn rows(&self, layer: &IndexedLayer) -> Result<Vec<IndexRow>> {
        let mut rows = self.labelled_rows()?;
        for channel in 0..layer.channels {
            let (means, maxima) =
                (self.channel("mean", channel, layer)?, self.channel("max", channel, layer)?);
            let places = self.places(channel, layer)?;
            for (row, ((mean, max), at)) in rows.iter_mut().zip(means.into_iter().zip(maxima).zip(places)) {
                row.numbers.means.extend(mean);
                row.numbers.maxima.extend(max);
                row.numbers.places.extend(at);
            }
        }
        for channel in 0..if layer.relevance { layer.channels } else { 0 } {
            for (row, value) in rows.iter_mut().zip(self.channel("relevance", channel, layer)?) {
                if let Some(value) = value {
                    row.numbers.relevance.get_or_insert_default().push(value);
                }
            }
        }
        if layer.full {
            for (row, values) in rows.iter_mut().zip(self.activations()?) {
                row.numbers.activation = Some(values);
            }
        }
        Ok(rows)
    }

    /// The whole activations, `[C, H, W]` each, of an index that keeps them.
    pub fn activations(&self) -> Result<Vec<Vec<f32>>> {
        let number = |bytes: &[u8]| bytes.first_chunk().map_or(0.0, |bytes| f32::from_le_bytes(*bytes));
        let values = |bytes: Option<ByteArray>| {
            bytes.iter().flat_map(|bytes| bytes.data().chunks(4)).map(number).collect()
        };
        Ok(self.bytes("activation")?.into_iter().map(values).collect())
    }

    /// All rows, without the channels' numbers.
    pub fn labelled_rows(&self) -> Result<Vec<IndexRow>> {
        let (pictures, files) = (self.integers("picture")?, self.texts("file")?);
        let (labels, wnids) = (self.texts("label")?, self.texts("wnid")?);
        let (classes, predicted) = (self.integers("class")?, self.integers("predicted")?);
        let index = |value: Option<i32>| value.and_then(|value| usize::try_from(value).ok());
        let columns = pictures.into_iter().zip(files).zip(labels.into_iter().zip(wnids));
        let row = |(((picture, file), (label, wnid)), (class, predicted))| IndexRow {
            picture: index(picture).unwrap_or_default(),
            file: Option::<String>::unwrap_or_default(file),
            label: RowLabel { label, wnid, class: index(class), predicted: index(predicted) },
            numbers: ChannelNumbers::default(),
        };
        Ok(columns.zip(classes.into_iter().zip(predicted)).map(row).collect())
    }
}

fn other_kind(name: &str, kind: &str) -> ParquetError {
    ParquetError::General(format!("{name} holds no {kind}"))
}

/// All values of a column.
fn read<T: DataType>(mut reader: ColumnReaderImpl<T>, rows: usize) -> ParquetResult<Vec<Option<T::T>>> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let mut found = 0;
    while found < rows {
        let (records, ..) = reader.read_records(rows - found, Some(&mut levels), None, &mut values)?;
        if records == 0 {
            return Err(ParquetError::EOF("a column ends early".into()));
        }
        found += records;
    }
    if levels.is_empty() {
        return Ok(values.into_iter().map(Some).collect());
    }
    let mut values = values.into_iter();
    Ok(levels.into_iter().map(|level| if level == 0 { None } else { values.next() }).collect())
}
