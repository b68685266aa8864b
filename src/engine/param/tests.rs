//! Gradients, ways back from pictures, and what each parameterization promises.

use super::*;

/// Directional derivatives of sums in `f32`: 4e-4 of the largest was seen.
const SLOPE_TOLERANCE: f64 = 2e-3;

fn spec(text: &str) -> ParamSpec {
    let spec: ParamSpec = toml::from_str(text).unwrap();
    spec.check().unwrap();
    spec
}

fn smooth() -> Vec<ParamSpec> {
    let texts = [
        "kind = 'pixel'\nsigmoid = true\nsd = 1.0",
        "kind = 'pixel'\nsigmoid = true\ndecorrelated = true\nalpha = 0.5\nsd = 1.0",
        "kind = 'fourier'\nsigmoid = true\ndecorrelated = true\nsd = 0.3",
        "kind = 'fourier'\nsigmoid = true\nalpha = 1.0\ndecay = 0.75\nsd = 0.3",
        "kind = 'laplacian'\nsigmoid = true\ndecorrelated = true\nlevels = 3\nsd = 1.0",
        "kind = 'maco'\nsigmoid = true\ndecorrelated = true",
    ];
    texts.iter().map(|text| spec(text)).collect()
}

fn param(spec: &ParamSpec, size: impl Into<PictureSize>, images: usize) -> Param {
    Param::new(spec.clone(), Preprocess::caffe(), size, images)
}

fn draws(shape: &[usize], stream: u64) -> Array {
    let mut rng = SeededRng::new(13, Stream::Test(stream));
    let data = (0..shape.iter().product()).map(|_| rng.normal() as f32).collect();
    Array::new(shape, data).unwrap()
}

fn dot(a: &Array, b: &Array) -> f64 {
    a.data().iter().zip(b.data()).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

#[test]
fn every_gradient_is_the_slope_at_even_and_odd_sizes() {
    for spec in smooth() {
        let oblong = [(6, 10), (11, 5)].map(|(width, height)| (PictureSize { width, height }, 1));
        for (size, images) in [(8.into(), 2), (9.into(), 1)].into_iter().chain(oblong) {
            let param = param(&spec, size, images);
            check_slope(&param, &spec, (size, images));
            check_slope(&param.gray(), &spec, (size, images));
        }
    }
}

fn check_slope(param: &Param, spec: &ParamSpec, (size, images): (PictureSize, usize)) {
    let x = param.noise(1).unwrap();
    let backdrop = param.backdrop(5, 3);
    let (along, weights) = (draws(x.shape(), 1), draws(&[images, 3, size.height, size.width], 2));
    // The objective that an alpha channel adds: -0.7 times the mean of alpha.
    let value = |by: f32| {
        let moved = x.data().iter().zip(along.data()).map(|(x, v)| x + by * v).collect();
        let moved = Array::new(x.shape(), moved).unwrap();
        let alpha = if spec.has_alpha() { images as f64 * param.mean_alpha(&moved) } else { 0.0 };
        dot(&param.image(&moved, &backdrop, &CallingThread), &weights) - 0.7 * alpha
    };
    let image = param.image(&x, &backdrop, &CallingThread);
    let gradient = param.pull_back(&x, &backdrop, &image, &weights, -0.7, &CallingThread);
    let (slope, found) = ((value(0.01) - value(-0.01)) / 0.02, dot(&gradient, &along));
    let scale = (dot(&gradient, &gradient) * dot(&along, &along)).sqrt();
    assert!((slope - found).abs() < SLOPE_TOLERANCE * scale, "{spec:?} {size}: {slope} {found} of {scale}");
}

#[test]
fn a_picture_comes_back_from_its_parameters() {
    for size in [PictureSize::square(9), PictureSize { width: 12, height: 7 }] {
        check_way_back(size);
    }
}

fn check_way_back(size: PictureSize) {
    let levels: Vec<f64> = (0..3 * size.pixels()).map(|i| 20.0 + (i * 37 % 216) as f64).collect();
    let pixel = spec("kind = 'pixel'");
    for spec in smooth().iter().chain([&pixel]).filter(|spec| spec.kind != ParamKind::Maco) {
        let param = param(spec, size, 1);
        let image = param.image(&param.encode(&levels).unwrap(), &Backdrop::Gray, &CallingThread);
        let worst = image.data().iter().zip(&levels).map(|(v, l)| (f64::from(*v) * 255.0 - l).abs());
        // An image with alpha begins almost opaque.
        let tolerance = if spec.has_alpha() { 0.3 } else { 0.02 };
        assert!(worst.fold(0.0, f64::max) < tolerance, "{spec:?}");
    }
}

#[test]
fn maco_keeps_its_magnitudes_and_takes_a_pictures_phases() {
    let spec = spec("kind = 'maco'\nsigmoid = true");
    let param = param(&spec, 16, 1);
    let Basis::Maco(maco) = &param.basis else { panic!("{spec:?}") };
    let planes = |phases: &[f32]| {
        let mut planes = vec![0.0; 3 * param.area()];
        maco.planes(phases, &mut planes, &CallingThread);
        planes
    };
    let [a, b] = [1, 2].map(|seed| planes(param.noise(seed).unwrap().data()));
    let square = |v: &[f32]| v.iter().map(|v| f64::from(v * v)).sum::<f64>() / v.len() as f64;
    assert!((square(&a) - 1.0).abs() < 1e-2 && (square(&b) - 1.0).abs() < 1e-2);
    let again = planes(&maco.encode(&a));
    // Free phases of the two columns that are their own mirror are not all a picture's: what it has of them is kept.
    let alike = a.iter().zip(&again).map(|(a, b)| f64::from(a * b)).sum::<f64>() / a.len() as f64;
    assert!(alike > 0.8, "{alike}");
}

#[test]
fn starts_are_faint_repeatable_and_of_each_image() {
    for spec in smooth().iter().filter(|spec| spec.kind == ParamKind::Fourier) {
        let spec = ParamSpec { sd: 0.01, ..spec.clone() };
        let param = param(&spec, 32, 2);
        assert_eq!(param.noise(4).unwrap(), param.noise(4).unwrap());
        assert_ne!(param.noise(4).unwrap().item(0), param.noise(4).unwrap().item(1));
        assert_eq!(param.noise(4).unwrap().item(0), self::param(&spec, 32, 1).noise(4).unwrap().item(0));
        let image = param.image(&param.noise(4).unwrap(), &Backdrop::Gray, &CallingThread);
        assert!(image.data().iter().all(|v| (0.2..0.8).contains(v)));
    }
}

fn caffe(kind: ParamKind) -> Param {
    Param::new(ParamSpec { kind, ..spec("kind = 'pixel'") }, Preprocess::caffe(), 1, 1)
}

fn pixel(v: [f32; 3]) -> Array {
    Array::new([1, 3, 1, 1], v.to_vec()).unwrap()
}

#[test]
fn keras_preprocess_input_is_bgr_minus_the_mean() {
    let x = caffe(ParamKind::Network).encode(&[10.0, 77.0, 200.0]).unwrap();
    assert_eq!(x.data(), [200.0 - 103.939, 77.0 - 116.779, 10.0 - 123.68]);
    let image = caffe(ParamKind::Network).image(&x, &Backdrop::Gray, &CallingThread);
    for (found, level) in image.data().iter().zip([10.0, 77.0, 200.0]) {
        assert!((found - level / 255.0).abs() < 1e-7, "{found}");
    }
}

#[test]
fn the_gradient_goes_through_the_transpose_of_the_networks_map() {
    let param = caffe(ParamKind::Network);
    let image = |v: [f32; 3]| param.image(&pixel(v), &Backdrop::Gray, &CallingThread);
    let (v, u) = ([1.0, -2.0, 4.0], pixel([3.0, 5.0, -7.0]));
    let (there, zero) = (image(v), image([0.0; 3]));
    let jv = pixel([0, 1, 2].map(|i| there.data()[i] - zero.data()[i]));
    let back = param.pull_back(&pixel([0.0; 3]), &Backdrop::Gray, &zero, &u, 0.0, &CallingThread);
    assert!((dot(&jv, &u) - dot(&pixel(v), &back)).abs() < 1e-6);
}

#[test]
fn network_space_truncates_bytes_where_rgb_rounds_them() {
    assert_eq!(caffe(ParamKind::Network).picture(&pixel([-1.0, 0.5, 1.0])).rgb, [0, 191, 255]); // 191.25
    assert_eq!(caffe(ParamKind::Pixel).picture(&pixel([0.0, 0.5, 1.0])).rgb, [0, 128, 255]); // 127.5
}

#[test]
fn several_images_are_saved_side_by_side() {
    let param = Param::new(spec("kind = 'pixel'"), Preprocess::caffe(), 1, 2);
    let x = Array::new([2, 3, 1, 1], vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0]).unwrap();
    let picture = param.picture(&x);
    assert_eq!((picture.width, picture.height), (2, 1));
    assert_eq!(picture.rgb, [0, 51, 102, 153, 204, 255]);
    let oblong = PictureSize { width: 2, height: 1 };
    let param = Param::new(spec("kind = 'pixel'"), Preprocess::caffe(), oblong, 2);
    let x = Array::new([2, 3, 1, 2], (0..12).map(|i| i as f32 / 255.0).collect()).unwrap();
    let picture = param.picture(&x);
    assert_eq!((picture.width, picture.height), (4, 1));
    assert_eq!(picture.rgb, [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let refused = |text: &str| toml::from_str::<ParamSpec>(text).unwrap().check().unwrap_err();
    assert!(refused("kind = 'fourier'").contains("needs sigmoid"));
    assert!(refused("kind = 'network'\nsigmoid = true").contains("no sigmoid"));
    assert!(refused("kind = 'pixel'\nalpha = 1.0").contains("alpha"));
    assert!(refused("kind = 'maco'\nsigmoid = true\nalpha = 1.0").contains("alpha"));
    let table = "[spectrum]\nfrequencies = [0.1, 0.2]\nmagnitudes = [[1.0, 2.0], [1.0], [1.0, 1.0]]";
    assert!(refused(&format!("kind = 'maco'\nsigmoid = true\n{table}")).contains("spectrum"));
}
