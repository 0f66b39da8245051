//! The three places where something is said, each as texts by the name of the setting. Which of them wins: `settings.rs`.

use super::Settings;
use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::{ArgMatches, CommandFactory};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What was said in one place.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Where, for messages; with a colon behind it.
    pub(super) by: String,
    /// What, by the setting's name.
    pub(super) texts: Vec<(String, String)>,
}

impl Said {
    /// Each flag is read by itself, so that none hides what is wrong with another.
    pub(super) fn by_flags(settings: &mut Settings, errors: &mut Vec<String>) -> Self {
        let mut command =
            Settings::command().mut_args(|arg| arg.env(Resettable::<clap::builder::OsStr>::Reset));
        let (mut said, mut known) = (Self::default(), BTreeSet::new());
        for flag in flags(std::env::args_os().skip(1)) {
            let arguments = std::iter::once(OsString::from("ticketing")).chain(flag.clone());
            match command.try_get_matches_from_mut(arguments) {
                Ok(matches) => said.hear(&matches, settings, &mut known, errors),
                // Once more with the environment, which `--help` shows.
                Err(asked) if !asked.use_stderr() => drop(Settings::command().get_matches()),
                Err(wrong) => errors.push(told(&wrong, &flag)),
            }
        }
        said
    }

    fn hear(
        &mut self,
        matches: &ArgMatches,
        settings: &mut Settings,
        known: &mut BTreeSet<String>,
        errors: &mut Vec<String>,
    ) {
        let given = |id: &&clap::Id| {
            matches.value_source(id.as_str()) == Some(clap::parser::ValueSource::CommandLine)
        };
        for id in matches.ids().filter(given) {
            let name = id.as_str();
            if !known.insert(name.to_owned()) {
                errors.push(format!("--{} is said twice: say it once", name.replace('_', "-")));
            }
            match name {
                "demo" => settings.demo = true,
                "print_config" => settings.print_config = true,
                "config" => settings.config = matches.get_one::<PathBuf>(name).cloned(),
                _ => {
                    let text = matches.try_get_one::<String>(name).ok().flatten();
                    self.texts.extend(text.map(|text| (name.to_owned(), text.clone())));
                }
            }
        }
    }

    /// The variables that `--help` names.
    pub(super) fn by_variables(settings: &mut Settings, errors: &mut Vec<String>) -> Self {
        let mut said = Self::default();
        for arg in Settings::command().get_arguments() {
            let Some(name) = arg.get_env() else { continue };
            let Some(value) = std::env::var_os(name) else { continue };
            if arg.get_id() == "config" {
                let said = Some(PathBuf::from(value)).filter(|path| !path.as_os_str().is_empty());
                settings.config = settings.config.take().or(said);
                continue;
            }
            match value.into_string() {
                Ok(text) => said.texts.push((arg.get_id().to_string(), text)),
                Err(_) => errors.push(format!("{}: write it in UTF-8", name.display())),
            }
        }
        said
    }

    /// The file that a flag or a variable names.
    pub(super) fn by_file(settings: &mut Settings, errors: &mut Vec<String>) -> Self {
        let Some(path) = settings.config.clone() else { return Self::default() };
        let mut said = Self { by: format!("{}: ", path.display()), texts: Vec::new() };
        let table = read(&path).unwrap_or_else(|wrong| {
            errors.push(format!("{}{wrong}", said.by));
            Table::new()
        });
        for (name, value) in table {
            let kind = value.type_str();
            match value {
                Value::Boolean(demo) if name == "demo" => settings.demo |= demo,
                _ if name == "demo" => {
                    errors.push(format!("{}demo is of the kind {kind}: write true or false", said.by));
                }
                Value::String(text) => said.texts.push((name, text)),
                Value::Integer(number) => said.texts.push((name, number.to_string())),
                Value::Float(_)
                | Value::Boolean(_)
                | Value::Datetime(_)
                | Value::Array(_)
                | Value::Table(_) => {
                    let write = "write a text or a whole number";
                    errors.push(format!("{}{name} is of the kind {kind}: {write}", said.by));
                }
            }
        }
        said
    }
}

/// The arguments, each flag with what follows it.
fn flags(arguments: impl Iterator<Item = OsString>) -> Vec<Vec<OsString>> {
    let mut flags: Vec<Vec<OsString>> = Vec::new();
    for argument in arguments {
        match flags.last_mut() {
            Some(flag) if !argument.as_encoded_bytes().starts_with(b"-") => flag.push(argument),
            Some(_) | None => flags.push(vec![argument]),
        }
    }
    flags
}

/// What clap found, without the usage; of a value that is no text it does not say whose it is.
fn told(wrong: &clap::Error, flag: &[OsString]) -> String {
    if wrong.kind() == ErrorKind::InvalidUtf8 {
        let name = flag.first().map(|name| name.to_string_lossy()).unwrap_or_default();
        return format!("{}: write it in UTF-8", name.split('=').next().unwrap_or_default());
    }
    let text = wrong.to_string();
    let ends = ["Usage:", "For more information"].into_iter().filter_map(|end| text.find(end));
    let text = text.get(..ends.min().unwrap_or(text.len())).unwrap_or_default();
    let text = text.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{text}: --help lists what can be written")
}

fn read(path: &Path) -> Result<Table, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the file cannot be read ({error}): write the path of a TOML file"))?;
    text.parse().map_err(|error| format!("this is not TOML: {error}"))
}
