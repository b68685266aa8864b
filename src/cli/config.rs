//! `trepang config`: where the user's configuration is, and every value with where it came from.

use anyhow::Result;

use super::key_map::key_map;
use super::output;
use crate::config::args::ConfigArgs;
use crate::config::{ConfigFile, ConfigValue, Usage, toml_text, values};
use crate::dashboard::BoundCommand;

/// The columns of a value, after which its origin stands.
const VALUE_WIDTH: usize = 34;

pub(super) fn run(args: &ConfigArgs, file: &ConfigFile) -> Result<()> {
    if args.path {
        let advice = "set HOME or XDG_CONFIG_HOME to an absolute path";
        let path = ConfigFile::path_of_user()
            .ok_or_else(|| Usage(format!("there is no home folder for a configuration: {advice}")))?;
        return output::line(path.display());
    }
    let keys = key_map(file)?;
    if let Some(path) = &file.path {
        let there = if file.is_there { "" } else { " (not there)" };
        output::line(format_args!("# {}{there}", path.display()))?;
    }
    for ConfigValue { field, value, origin } in values(args, file) {
        let set = match &value {
            Ok(text) => format!("{} = {}", field.name(), field.in_file(text)),
            Err(described) => format!("# {}: {described}", field.name()),
        };
        output::line(format_args!("{set:<VALUE_WIDTH$}  # {origin}"))?;
    }
    output::line("\n[keys]")?;
    print_keys(keys.all())?;
    output::line("# within lists and questions")?;
    print_keys(keys.of_lists())
}

fn print_keys(commands: &[BoundCommand]) -> Result<()> {
    for BoundCommand { binding, keys, line, .. } in commands {
        let names: Vec<String> =
            keys.iter().filter(|key| key.can_be_bound()).map(|key| toml_text(&key.name())).collect();
        let origin = line.map_or_else(|| "default".into(), |line| format!("file, line {line}"));
        let set = format!("{} = [{}]", binding.name, names.join(", "));
        output::line(format_args!("{set:<VALUE_WIDTH$}  # {origin}: {}", binding.about))?;
    }
    Ok(())
}
