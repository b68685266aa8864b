//! Fills flags that were not typed from the user's `config.toml`, and says of every value where it came from.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use super::args::{
    AttachArgs, Cli, CliCommand, ComputeArgs, ConfigArgs, DashboardArgs, LabCommand, RenderArgs, ScreenArgs,
    ThemeFlag,
};
use super::field::ConfigField;
use super::file::ConfigFile;
use crate::runs::default_folder;

/// A value with where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigValue {
    /// The field of the configuration.
    pub field: ConfigField,
    /// The value, or a description of what it will be where it depends on others.
    pub value: Result<String, &'static str>,
    /// The argument, the line of the file, the variable of the environment, or the default.
    pub origin: String,
}

/// Reads the user's file for a command that has any of its flags, and fills those that were not typed.
pub fn fill(cli: &mut Cli) -> Result<ConfigFile> {
    let Some(command) = &mut cli.command else {
        let file = ConfigFile::of_user()?;
        fill_dashboard(&file, &mut cli.dashboard);
        return Ok(file);
    };
    match command {
        CliCommand::Render(args) => {
            let file = ConfigFile::of_user()?;
            fill_render(&file, args);
            Ok(file)
        }
        CliCommand::Attach(AttachArgs { screen, runs, .. }) => {
            let file = ConfigFile::of_user()?;
            fill_screen(&file, screen);
            fill_runs(&file, runs);
            Ok(file)
        }
        CliCommand::Runs(args) => {
            let file = ConfigFile::of_user()?;
            fill_runs(&file, &mut args.runs);
            Ok(file)
        }
        CliCommand::Predict(args) => fill_compute_of(&mut args.compute),
        CliCommand::Lab(args) => compute_of_lab(&mut args.command).map_or_else(
            // Without a network there is nothing to fill in.
            || Ok(ConfigFile::default()),
            fill_compute_of,
        ),
        // The command itself says what is wrong in the file.
        CliCommand::Config(args) if args.path => Ok(ConfigFile::default()),
        CliCommand::Config(_) => ConfigFile::of_user(),
        CliCommand::Pull(_)
        | CliCommand::Info(_)
        | CliCommand::Networks(_)
        | CliCommand::Devices(_)
        | CliCommand::Parity(_)
        | CliCommand::Bench(_)
        | CliCommand::Recipes(_)
        | CliCommand::Spectrum(_)
        | CliCommand::Show(_)
        | CliCommand::Completions(_)
        | CliCommand::Man => Ok(ConfigFile::default()),
    }
}

fn compute_of_lab(command: &mut LabCommand) -> Option<&mut ComputeArgs> {
    match command {
        LabCommand::Attribute(args) => Some(&mut args.subject.compute),
        LabCommand::Ablate(args) => Some(&mut args.subject.compute),
        LabCommand::Index(args) => Some(&mut args.compute),
        LabCommand::Examples(args) => Some(&mut args.compute),
        LabCommand::Distance(args) => Some(&mut args.compute),
        LabCommand::Project(args) => Some(&mut args.compute),
        LabCommand::Map(args) => Some(&mut args.compute),
        LabCommand::Report(args) => Some(&mut args.subject.compute),
        LabCommand::Means(args) => Some(&mut args.compute),
        LabCommand::Seed(args) => Some(&mut args.compute),
        LabCommand::Compare(_) => None, // no network is run
    }
}

fn fill_compute_of(args: &mut ComputeArgs) -> Result<ConfigFile> {
    let file = ConfigFile::of_user()?;
    fill_compute(&file, args);
    Ok(file)
}

fn fill_compute(file: &ConfigFile, args: &mut ComputeArgs) {
    args.network = args.network.take().or_else(|| file.parsed(ConfigField::Network));
    args.threads = args.threads.or_else(|| file.parsed(ConfigField::Threads));
    // One that is typed may not have the other of the file.
    if args.backend.is_none() && args.device.is_none() {
        args.backend = file.parsed(ConfigField::Backend);
        args.device = file.parsed(ConfigField::Device);
    }
}

fn fill_dashboard(file: &ConfigFile, args: &mut DashboardArgs) {
    fill_compute(file, &mut args.compute);
    fill_screen(file, &mut args.screen);
    fill_runs(file, &mut args.runs);
    args.recipe = args.recipe.take().or_else(|| file.parsed(ConfigField::Recipe));
    args.size = args.size.or_else(|| file.parsed(ConfigField::Size));
    args.steps = args.steps.or_else(|| file.parsed(ConfigField::Steps));
}

/// Fills the flags of `render`. A picture that is made again, or a run that goes on, says itself how it is made.
fn fill_render(file: &ConfigFile, args: &mut RenderArgs) {
    if args.resume.is_some() {
        return;
    }
    fill_runs(file, &mut args.runs);
    if args.from.is_some() {
        return;
    }
    fill_compute(file, &mut args.compute);
    args.recipe = args.recipe.take().or_else(|| file.parsed(ConfigField::Recipe));
    args.size = args.size.or_else(|| file.parsed(ConfigField::Size));
    args.steps = args.steps.or_else(|| file.parsed(ConfigField::Steps));
}

fn fill_runs(file: &ConfigFile, runs: &mut Option<PathBuf>) {
    *runs = runs.take().or_else(|| file.parsed(ConfigField::Runs));
}

fn fill_screen(file: &ConfigFile, args: &mut ScreenArgs) {
    fn word<T: ValueEnum>(file: &ConfigFile, field: ConfigField) -> Option<T> {
        T::from_str(&file.value(field)?.text, false).ok()
    }
    args.image_protocol = args.image_protocol.or_else(|| word(file, ConfigField::ImageProtocol));
    args.charset = args.charset.or_else(|| word(file, ConfigField::Charset));
    let theme = args.theme.or_else(|| word(file, ConfigField::Theme));
    args.theme = theme.or_else(|| wants_no_color().then_some(ThemeFlag::Terminal));
    args.rate_cap = args.rate_cap.or_else(|| file.parsed(ConfigField::RateCap));
    args.mouse = args.mouse.or_else(|| file.parsed(ConfigField::Mouse));
}

/// Whether the environment asks for no colours (<https://no-color.org>).
fn wants_no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Every value of the configuration with where it came from: an argument, the file, the environment or the default.
pub fn values(args: &ConfigArgs, file: &ConfigFile) -> Vec<ConfigValue> {
    let value = |field: ConfigField| {
        if let Some(typed) = typed(args, field) {
            return ConfigValue { field, value: Ok(typed), origin: "argument".into() };
        }
        if let Some(located) = file.value(field) {
            let origin = format!("file, line {}", located.line);
            return ConfigValue { field, value: Ok(located.text.clone()), origin };
        }
        let (value, origin) = match from_environment(field) {
            Some((value, variable)) => (Ok(value), format!("environment, {variable}")),
            None => (field.default().map(str::to_owned), "default".into()),
        };
        ConfigValue { field, value, origin }
    };
    ConfigField::ALL.into_iter().map(value).collect()
}

/// The value that the environment gives a field, and the variable.
fn from_environment(field: ConfigField) -> Option<(String, &'static str)> {
    match field {
        ConfigField::Runs => {
            let is_set = |name| std::env::var_os(name).is_some_and(|path| PathBuf::from(path).is_absolute());
            let variable = if is_set("XDG_DATA_HOME") { "XDG_DATA_HOME" } else { "HOME" };
            Some((default_folder()?.display().to_string(), variable))
        }
        ConfigField::Theme => wants_no_color().then(|| ("terminal".into(), "NO_COLOR")),
        ConfigField::Network
        | ConfigField::Recipe
        | ConfigField::Size
        | ConfigField::Steps
        | ConfigField::Backend
        | ConfigField::Device
        | ConfigField::Threads
        | ConfigField::ImageProtocol
        | ConfigField::Charset
        | ConfigField::RateCap
        | ConfigField::Mouse => None,
    }
}

/// The value that was typed for a field.
fn typed(args: &ConfigArgs, field: ConfigField) -> Option<String> {
    match field {
        ConfigField::Network => args.network.clone(),
        ConfigField::Recipe => args.recipe.clone(),
        ConfigField::Size => args.size.map(|size| size.to_string()),
        ConfigField::Steps => args.steps.map(|steps| steps.to_string()),
        ConfigField::Backend => args.backend.clone(),
        ConfigField::Device => args.device.clone(),
        ConfigField::Threads => args.threads.map(|threads| threads.to_string()),
        ConfigField::Runs => args.runs.as_ref().map(|runs| runs.display().to_string()),
        ConfigField::ImageProtocol => args.screen.image_protocol.and_then(name),
        ConfigField::Theme => args.screen.theme.and_then(name),
        ConfigField::Charset => args.screen.charset.and_then(name),
        ConfigField::RateCap => args.screen.rate_cap.map(|rate| rate.to_string()),
        ConfigField::Mouse => args.screen.mouse.map(|mouse| mouse.to_string()),
    }
}

/// The word of a flag's value.
#[expect(clippy::needless_pass_by_value, reason = "flags are words")]
fn name(value: impl ValueEnum) -> Option<String> {
    Some(value.to_possible_value()?.get_name().to_owned())
}
