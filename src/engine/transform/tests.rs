//! Adjoints, and what each transform promises.

use trepang_api::{Array, CallingThread};

use super::*;

const CONTEXT: StepContext = StepContext { seed: 3, step: 5, progress: 0.4 };

fn noise(shape: [usize; 4], stream: u64) -> Array {
    let mut rng = SeededRng::new(11, Stream::Test(stream));
    let data = (0..shape.iter().product()).map(|_| rng.normal() as f32).collect();
    Array::new(shape, data).unwrap()
}

fn dot(a: &Array, b: &Array) -> f64 {
    a.data().iter().zip(b.data()).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn lucid() -> Vec<Transform> {
    vec![
        Transform::Pad(3),
        Transform::Jitter(2),
        Transform::Scale(vec![0.9, 1.1]),
        Transform::Rotate(vec![-10.0, 7.0]),
        Transform::Jitter(1),
    ]
}

fn crop() -> Transform {
    Transform::Crop(Crop { from: 0.6, to: 0.3, sd: 0.1, least: 0.1, away: 0.15 })
}

#[test]
fn all_linear_ones_are_adjoint_pairs() {
    let each: Vec<Vec<Transform>> = vec![
        vec![],
        vec![Transform::Pad(3)],
        vec![Transform::Jitter(4)],
        vec![Transform::Scale(vec![0.8])],
        vec![Transform::Zoom([0.8, 1.3])],
        vec![Transform::Rotate(vec![20.0])],
        vec![Transform::Turn([-30.0, 30.0])],
        vec![Transform::Flip(1.0)],
        vec![Transform::Blur([0.7, 1.5])],
        vec![crop()],
        lucid(),
        [lucid(), vec![Transform::Flip(0.5), crop(), Transform::Blur([0.5, 0.5])]].concat(),
    ];
    for transforms in each {
        for image in [[12, 12], [13, 13], [12, 17], [15, 11]] {
            for view in [image, [9, 9], [8, 11]] {
                let mut views = Views::draw(&transforms, 3, [image, view], CONTEXT);
                // Without the gray outside the map is linear.
                views.draws.iter_mut().for_each(|draw| draw.edge = Edge::Fill(0.0));
                let (x, u) = (noise([2, 3, image[0], image[1]], 1), noise([6, 3, view[0], view[1]], 2));
                let views = views.place(image, &CallingThread);
                let back = views.pull_back(u.data(), (2, image), &CallingThread);
                let (there, back) = (dot(&views.show(&x, &CallingThread), &u), dot(&x, &back));
                assert!((there - back).abs() < 1e-4, "{transforms:?} {image:?} {view:?}: {there} {back}");
            }
        }
    }
    for [height, width] in [[13, 13], [13, 5], [9, 22]] {
        let tiles = Views::tiles([[height, width], [5, 5]], CONTEXT).place([height, width], &CallingThread);
        let (x, u) = (noise([1, 3, height, width], 1), noise([tiles.count(), 3, 5, 5], 2));
        let back = tiles.pull_back(u.data(), (1, [height, width]), &CallingThread);
        assert!((dot(&tiles.show(&x, &CallingThread), &u) - dot(&x, &back)).abs() < 1e-4);
    }
}

#[test]
fn each_does_what_it_is_called() {
    let show = |transform: Transform, image: &Array| {
        let side = [image.shape()[2], image.shape()[3]];
        Views::draw(&[transform], 1, [side, side], CONTEXT)
            .place(side, &CallingThread)
            .show(image, &CallingThread)
    };
    let x = noise([1, 3, 8, 8], 1);
    assert_eq!(show(Transform::Pad(3), &x), x);
    assert_eq!(show(Transform::Rotate(vec![0.0]), &x), x);
    let mirrored = show(Transform::Flip(1.0), &x);
    assert_eq!(mirrored.data()[0], x.data()[7]);
    let turned = show(Transform::Rotate(vec![180.0]), &x);
    assert!((turned.data()[0] - x.data()[63]).abs() < 1e-5);
    // Half as large: gray all around.
    let small = show(Transform::Scale(vec![0.5]), &x);
    assert!(small.data()[0] == GRAY && small.data()[8 + 1] == GRAY && small.data()[3 * 8 + 3] != GRAY);
    let smooth = show(Transform::Blur([2.0, 2.0]), &x);
    assert!(dot(&smooth, &smooth) < 0.3 * dot(&x, &x));
    let noisy = show(Transform::Noise([0.1, 0.2]), &x);
    let mean = noisy.data().iter().zip(x.data()).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / 192.0;
    assert!((mean - (0.01 + 0.04 / 3.0)).abs() < 0.01, "{mean}");
}

#[test]
fn crops_follow_the_runs_progress_and_stay_inside() {
    let mut means = Vec::new();
    for progress in [0.0, 1.0] {
        let draws =
            Views::draw(&[crop()], 200, [[100; 2], [10; 2]], StepContext { progress, ..CONTEXT }).draws;
        let side = |draw: &Draw| draw.map.matrix[0][0] / 10.0;
        means.push(draws.iter().map(side).sum::<f64>() / 200.0);
        for draw in draws {
            let (first, last) = (draw.map.apply([-0.5; 2]), draw.map.apply([9.5; 2]));
            assert!(first.iter().all(|v| *v >= -0.5 - 1e-9) && last.iter().all(|v| *v <= 99.5 + 1e-9));
        }
    }
    assert!((means[0] - 0.6).abs() < 0.03 && (means[1] - 0.3).abs() < 0.03, "{means:?}");
}

#[test]
fn crops_of_an_oblong_image_are_not_distorted_and_stay_inside() {
    for [image, view] in [[[60, 100], [10, 10]], [[100, 60], [10, 10]], [[50, 90], [12, 20]]] {
        let draws =
            Views::draw(&[crop()], 200, [image, view], StepContext { progress: 0.0, ..CONTEXT }).draws;
        for draw in &draws {
            assert_eq!(draw.map.matrix[0][0], draw.map.matrix[1][1], "as large across as down");
            let ends = [draw.map.apply([-0.5; 2]), draw.map.apply(view.map(|side| side as f64 - 0.5))];
            let inside =
                |at: [f64; 2]| (0..2).all(|a| (-0.5 - 1e-9..=image[a] as f64 - 0.5 + 1e-9).contains(&at[a]));
            assert!(ends.into_iter().all(inside), "{image:?} {view:?} {ends:?}");
        }
        let fits = f64::min(image[0] as f64 / view[0] as f64, image[1] as f64 / view[1] as f64);
        let share = draws.iter().map(|draw| draw.map.matrix[0][0] / fits).sum::<f64>() / 200.0;
        assert!((share - 0.6).abs() < 0.03, "{image:?} {view:?} {share}");
    }
}

#[test]
fn an_oblong_image_is_turned_and_mirrored_about_its_own_middle() {
    let (image, x) = ([4, 8], noise([1, 3, 4, 8], 1));
    let show = |transform: Transform| {
        let views = Views::draw(&[transform], 1, [image, image], CONTEXT);
        views.place(image, &CallingThread).show(&x, &CallingThread)
    };
    let near =
        |a: &[f32], b: &mut dyn Iterator<Item = f32>| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    let turned = show(Transform::Rotate(vec![180.0]));
    assert!(near(&turned.data()[..32], &mut x.data()[..32].iter().rev().copied()));
    assert_eq!(
        show(Transform::Flip(1.0)).data()[..8],
        x.data()[..8].iter().rev().copied().collect::<Vec<_>>()
    );
    assert_eq!(show(Transform::Pad(2)), x);
}

#[test]
fn a_step_has_views_of_its_own_and_always_the_same() {
    let draw = |step| Views::draw(&lucid(), 2, [[64; 2]; 2], StepContext { step, ..CONTEXT });
    assert_eq!(draw(5), draw(5));
    assert_ne!(draw(5).draws, draw(6).draws);
    assert_ne!(draw(5).draws[0], draw(5).draws[1]);
}

#[test]
fn tiles_cover_every_pixel() {
    for [image, view] in
        [[[13, 13], [5, 5]], [[10; 2], [5; 2]], [[5; 2], [5; 2]], [[11, 5], [5, 5]], [[6, 13], [6, 4]]]
    {
        let tiles = Views::tiles([image, view], CONTEXT).place(image, &CallingThread);
        let ones = vec![1.0; tiles.count() * 3 * view[0] * view[1]];
        let covered = tiles.pull_back(&ones, (1, image), &CallingThread);
        assert!(covered.data().iter().all(|&v| v >= 1.0), "{image:?} {view:?}");
    }
}

#[test]
fn a_jitter_that_leaves_nothing_is_refused() {
    let check = |transforms: &[Transform]| Transform::check_all(transforms, [64, 16]);
    let jitter = |pixels| Transform::Jitter(pixels);
    assert_eq!(check(&[jitter(63)]), Ok(()));
    assert_eq!(check(&[jitter(64)]).unwrap_err(), "transforms: a jitter of 64 leaves nothing of 64 pixels");
    assert_eq!(check(&[Transform::Pad(1), jitter(65)]), Ok(()));
    assert!(check(&[Transform::Scale(vec![1.0, 0.5]), jitter(32)]).is_err());
    assert!(check(&[Transform::Zoom([0.5, 2.0]), jitter(31), jitter(1)]).is_err());
    // A crop is made as large as a view.
    assert!(check(&[crop(), jitter(16)]).is_err());
}
