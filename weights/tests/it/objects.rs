//! Tests of PyTorch's pickles with more than tensors in them: what is passed over, what is refused, and whole models.

use std::io::{Cursor, Write};

use tempfile::NamedTempFile;
use trepang_weights::TensorSource;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::{fixture, open};

/// The names and sizes of a file's tensors.
fn listing(source: &dyn TensorSource) -> Vec<String> {
    let size = |shape: &[usize]| shape.iter().product::<usize>();
    source.tensors().iter().map(|tensor| format!("{} {}", tensor.name, size(&tensor.shape))).collect()
}

/// An archive with the pickled state dict of the fixtures under `state_dict`, and `object` under `beside`. The object
/// must use no memo of the first 50.
fn archive_with(object: &[u8]) -> NamedTempFile {
    let state_dict = std::fs::read(fixture("state_dict.pickle")).unwrap();
    let body = &state_dict[2..state_dict.len() - 1]; // without the protocol and the end
    archive_of([b"\x80\x02}(X\x0a\0\0\0state_dict", body, b"X\x06\0\0\0beside", object, b"u."].concat())
}

/// An archive with this pickle, which may use the storages of the fixtures.
fn archive_of(pickle: Vec<u8>) -> NamedTempFile {
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [("data.pkl", pickle), ("data/0", vec![1; 432]), ("data/1", vec![1; 16])] {
        archive.start_file(format!("a/{name}"), stored).unwrap();
        archive.write_all(&content).unwrap();
    }
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&archive.finish().unwrap().into_inner()).unwrap();
    file
}

fn check_passed_over(object: &[u8]) {
    let file = archive_with(object);
    let source = trepang_weights::open(file.path()).unwrap_or_else(|error| panic!("{error}: {object:?}"));
    assert_eq!(listing(&*source), ["state_dict.features.0.weight 108", "state_dict.features.0.bias 4"]);
}

#[test]
fn keys_may_be_tuples() {
    let state_dict = std::fs::read(fixture("state_dict.pickle")).unwrap();
    let body = &state_dict[2..state_dict.len() - 1];
    let listed = |key: &[u8]| {
        let file = archive_of([b"\x80\x02}(", key, body, b"u."].concat());
        trepang_weights::open(file.path()).map(|source| listing(&*source)).map_err(|error| error.to_string())
    };
    let name =
        |prefix: &str| vec![format!("{prefix}.features.0.weight 108"), format!("{prefix}.features.0.bias 4")];
    assert_eq!(listed(b"(X\x05\0\0\0modelK\x07t").unwrap(), name("model.7"));
    assert_eq!(listed(b"X\x03\0\0\0net\x85").unwrap(), name("net"));
    // Keys of other kinds have no name; a dictionary of them is not called empty.
    for key in [&b"N"[..], b"(NK\x01t", b")", b"G\0\0\0\0\0\0\0\0"] {
        let error = listed(key).unwrap_err();
        assert!(
            error.contains("it holds no tensor, only a dictionary whose keys are neither texts"),
            "{error}"
        );
    }
}

fn check_refused(object: &[u8], call: &str) {
    let file = archive_with(object);
    let error = trepang_weights::open(file.path()).unwrap_err().to_string();
    assert!(error.contains(&format!(" asks for {call} to be run")), "{error}: {call}");
}

#[test]
fn objects_of_pythons_library_are_passed_over() {
    for name in ["beside_2.pth", "beside_5.pth"] {
        let listed = ["state_dict.features.0.weight 108", "state_dict.features.0.bias 4"];
        assert_eq!(listing(&*open(name)), listed, "{name}");
    }
}

#[test]
fn objects_of_any_class_are_passed_over() {
    let objects: [&[u8]; 16] = [
        b"csomebody.module\nSomeClass\n)R",
        b"csomebody.module\nSomeClass\n)\x81}X\x01\0\0\0aK\x01sb",
        b"csomebody.module\nSomeClass\n)}\x92",
        b"(isomebody.module\nSomeClass\n",
        b"(csomebody.module\nSomeClass\nK\x01o",
        b"X\x08\0\0\0somebodyX\x05\0\0\0Outer\x93)R",
        b"csomebody\nlist\n)\x81(K\x01K\x02e",
        b"csomebody\ndict\n)\x81(K\x01K\x02u",
        b"ccopy_reg\n_reconstructor\n(csomebody\nA\nc__builtin__\nobject\nNtR",
        b"cbuiltins\ngetattr\n(csomebody\nPhase\nX\x05\0\0\0TRAINtR",
        b"cfunctools\npartial\n(ctorch\nload\ntR(ctorch\nload\n)}Ntb", // is held, not called
        b"cos\nsystem\n",
        b"c_codecs\nencode\n(X\x01\0\0\0aX\x06\0\0\0latin1tR",
        b"ctorch\ndevice\n(X\x03\0\0\0cputR",
        b"\x82\x01)R",
        b"csomebody\nBuilder\n)Rcsomebody\nmake\n)R\x86",
    ];
    for object in objects {
        check_passed_over(object);
    }
}

#[test]
fn a_call_that_does_harm_is_named() {
    let calls: [(&[u8], &str); 17] = [
        (b"cos\nsystem\n(X\x02\0\0\0idtR", "os.system"),
        (b"(X\x02\0\0\0idint\nsystem\n", "nt.system"),
        (b"(csubprocess\nPopen\nX\x02\0\0\0ido", "subprocess.Popen"),
        (b"c__builtin__\neval\n(X\x01\0\0\0atR", "__builtin__.eval"),
        (b"cbuiltins\nexec\n(X\x01\0\0\0atR", "builtins.exec"),
        (b"crunpy\nrun_path\n(X\x01\0\0\0atR", "runpy.run_path"),
        (b"X\x05\0\0\0torchX\x08\0\0\0hub.load\x93)R", "torch.hub.load"),
        (b"X\x05\0\0\0torchX\x09\0\0\0os.system\x93)R", "torch.os.system"),
        (b"csomebody\nmake\n)RX\x01\0\0\0a\x93)R", "something whose name it hides"),
        (b"cfunctools\npartial\n(cos\nsystem\nX\x02\0\0\0idtR)R", "os.system"),
        (b"cfunctools\npartial\n(csomebody\nf\ntR(cos\nsystem\n)}Ntb)R", "os.system"),
        (b"cbuiltins\nmap\n(cos\nsystem\n]X\x02\0\0\0idatR", "os.system"),
        (b"csomebody\nA\n)\x81}X\x0c\0\0\0__setstate__cos\nsystem\nsbX\x02\0\0\0idb", "os.system"),
        (b"coperator\nmethodcaller\n(X\x06\0\0\0systemtR(cos\npath\ntR", "operator.methodcaller"),
        (b"cbuiltins\ngetattr\n(cpathlib\nPosixPath\n(X\x01\0\0\0atRX\x06\0\0\0unlinktR)R", "pathlib.PosixPath.unlink"),
        (b"cbuiltins\ngetattr\n(csomebody\nf\nX\x0b\0\0\0__globals__tR", "builtins.getattr with __globals__"),
        (
            b"cbuiltins\ngetattr\n(ccloudpickle.cloudpickle\nsubimport\n(X\x02\0\0\0ostRX\x06\0\0\0systemtR)R",
            "os.system",
        ),
    ];
    for (object, call) in calls {
        check_refused(object, call);
    }
}

#[test]
fn a_pickled_model_has_the_names_of_its_state_dict() {
    let names = ["weight 108", "saved 4", "inner.weight 4", "inner.mean 2"];
    assert_eq!(listing(&*open("module_stream.pth")), names);
    assert_eq!(listing(&*open("module.pth")), names.map(|name| format!("model.{name}")));
    let source = open("module_stream.pth");
    assert_eq!(source.read(3).unwrap().data(), [0.0, 0.5]);
}

#[test]
fn tensors_in_lists_have_numbers_for_keys() {
    let names = ["0.features.0.weight 108", "0.features.0.bias 4", "2.0 4"];
    assert_eq!(listing(&*open("root_list.pth")), names);
}
