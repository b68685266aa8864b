//! The way from a model that is no ONNX file to one: the two lines that export it, by the program that saved it. Those for
//! `TorchScript`, `torch.export`, `SavedModel`, TensorFlow Lite and whole Keras models were tried with PyTorch 2.15, Keras 3.15 and tf2onnx 1.17.

use std::path::Path;

use trepang_api::printable;

use crate::{FileFormat, TensorSource};

/// The way in which a model was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SavedAs {
    /// The tensors of a model of PyTorch's, without the model.
    PytorchWeights,
    /// A program of `TorchScript`.
    TorchScript,
    /// A program of `torch.export`'s.
    TorchProgram,
    /// A whole model of Keras's.
    KerasModel,
    /// The weights of a model of Keras's.
    KerasWeights,
    /// The graph of TensorFlow's `SavedModel`, whose variables stand in other files of its folder.
    SavedModel,
    /// A frozen graph of TensorFlow 1.
    GraphDef,
    /// A model of `TensorFlow Lite`, or `LiteRT`.
    TfLite,
    /// A model of Core ML.
    CoreMl,
}

impl SavedAs {
    /// The way in which an opened file's model was saved.
    fn of(source: &dyn TensorSource) -> Self {
        match source.format() {
            FileFormat::KerasLegacy | FileFormat::Keras3 if source.model().is_some() => Self::KerasModel,
            FileFormat::KerasLegacy | FileFormat::Keras3 => Self::KerasWeights,
            FileFormat::GraphDef => Self::GraphDef,
            FileFormat::Safetensors
            | FileFormat::PytorchZip
            | FileFormat::PytorchLegacy
            | FileFormat::Onnx => Self::PytorchWeights,
        }
    }

    /// The kind of file, with its article.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::PytorchWeights => "a file with weights",
            Self::TorchScript => "TorchScript's archive, a program and not only weights",
            Self::TorchProgram => "an archive of torch.export, a program and not only weights",
            Self::KerasModel => "a model of Keras's",
            Self::KerasWeights => "a file with Keras's weights",
            Self::SavedModel => "the graph of a TensorFlow SavedModel",
            Self::GraphDef => "a graph of TensorFlow 1",
            Self::TfLite => "a TensorFlow Lite model",
            Self::CoreMl => "a Core ML model",
        }
    }

    /// The two lines that make `model.onnx` of the model in `path`.
    pub(crate) fn lines(self, path: &Path) -> [String; 2] {
        let file = quoted(path);
        let traced = "torch.onnx.export(model, (torch.zeros(1, 3, 224, 224),), \"model.onnx\"";
        let by_keras = "model(model.inputs); model.export(\"model.onnx\", format=\"onnx\")";
        let tf2onnx = |flags: String| {
            let line = format!("python -m tf2onnx.convert {flags} --output model.onnx");
            ["pip install tf2onnx".to_owned(), line]
        };
        match self {
            Self::PytorchWeights | Self::CoreMl => ["model.eval()".into(), format!("{traced})")],
            Self::TorchScript => {
                [format!("model = torch.jit.load({file}).eval()"), format!("{traced}, dynamo=False)")]
            }
            Self::TorchProgram => [
                format!("model = torch.export.load({file})"),
                "torch.onnx.export(model, (), \"model.onnx\")".into(),
            ],
            Self::KerasModel => [format!("model = keras.models.load_model({file})"), by_keras.into()],
            Self::KerasWeights => [format!("model.load_weights({file})"), by_keras.into()],
            Self::SavedModel => {
                let is_folder = path.is_dir();
                let folder = if is_folder { path } else { path.parent().unwrap_or(path) };
                let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
                tf2onnx(format!("--saved-model {}", quoted(folder)))
            }
            Self::GraphDef => tf2onnx(format!("--graphdef {file} --inputs INPUT:0 --outputs OUTPUT:0")),
            Self::TfLite => tf2onnx(format!("--tflite {file}")),
        }
    }

    /// The two lines as a clause of a sentence.
    pub(crate) fn clause(self, path: &Path) -> String {
        let [first, second] = self.lines(path);
        format!("`{first}` and `{second}`")
    }
}

/// The two lines that export the model of an opened weights file to ONNX, as far as the file tells what it is.
pub fn export_lines(source: &dyn TensorSource) -> [String; 2] {
    SavedAs::of(source).lines(source.path())
}

/// The end of a sentence on a file that holds no network that is known here.
pub(crate) fn not_known(source: &dyn TensorSource) -> String {
    format!(
        "; if `trepang networks` does not list its network, export the model to ONNX, {}, and pass model.onnx with --network",
        export_clause(source)
    )
}

/// The lines as a clause of a sentence.
pub(crate) fn export_clause(source: &dyn TensorSource) -> String {
    SavedAs::of(source).clause(source.path())
}

/// A path as Python and the shell read it.
fn quoted(path: &Path) -> String {
    let mut quoted = String::from("\"");
    for char in printable(&path.display().to_string()).chars() {
        if matches!(char, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(char);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_the_file_as_python_reads_it() {
        let [load, export] = SavedAs::TorchScript.lines(Path::new("a \"b\".pt"));
        assert_eq!(load, r#"model = torch.jit.load("a \"b\".pt").eval()"#);
        assert!(export.ends_with("\"model.onnx\", dynamo=False)"), "{export}");
        let [_, convert] = SavedAs::SavedModel.lines(Path::new("saved_model.pb"));
        assert_eq!(convert, "python -m tf2onnx.convert --saved-model \".\" --output model.onnx");
    }
}
