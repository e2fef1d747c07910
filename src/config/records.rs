//! `data_sources`: files of records, read and indexed.

mod file;

use super::source::read_text;
use crate::advice::Advice;
use crate::document::{Place, Problem, Problems, Section, Value, nearest};
use crate::identity::ClaimValue;
use crate::record::{DataSource, DataSources, ForeignKey, FoundBy, Record, SourceBuilder};
use file::{Item, items};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// So many wrong records of one file are told; a file may have a million.
const TOLD: usize = 20;

const EXAMPLE: &str =
    "write `{record_type: example.com/badge, file: badges.json, foreign_key: user.id}`";

/// What the file says of records.
#[derive(Default)]
pub(super) struct ReadRecords {
    pub(super) sources: DataSources,
    /// Every file that was named, readable or not.
    pub(super) files: Vec<PathBuf>,
}

/// What reading needs to know of the rest of the configuration.
pub(super) struct RecordsReader<'c> {
    pub(super) base: &'c Path,
    pub(super) fold_email: bool,
}

impl RecordsReader<'_> {
    pub(super) fn read(&self, section: &Section<'_>, problems: &mut Problems) -> ReadRecords {
        let Some(node) = section.node("data_sources") else {
            return ReadRecords::default();
        };
        let Value::List(items) = &node.value else {
            let message =
                format!("`data_sources` must be a list of maps, not {}", node.value.kind());
            let problem = Problem::new("wrong_type", &node.place, message);
            problems.push(problem.help("begin each source with `- record_type: …`"));
            return ReadRecords::default();
        };
        let (mut types, mut sources, mut files) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            let name = format!("data_sources[{index}]");
            let Some(section) = Section::open(item, &name, problems) else {
                continue;
            };
            section.refuse_unknown(&["file", "foreign_key", "record_type"], problems);
            let record_type = record_type(&section, &mut types, problems);
            let path = required(&section, "file", problems).map(|file| self.base.join(file));
            let source = self.source(&section, path.as_deref(), problems);
            files.extend(path);
            sources.extend(record_type.map(str::to_owned).zip(source));
        }
        ReadRecords { sources: DataSources::new(sources), files }
    }

    fn source(
        &self,
        section: &Section<'_>,
        path: Option<&Path>,
        problems: &mut Problems,
    ) -> Option<DataSource> {
        let key = foreign_key(section, problems);
        let path = path?;
        let text = match read_text(path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("cannot read `{}`: {error}", path.display());
                let problem = Problem::new("unreadable_file", section.place_of("file"), message);
                problems.push(problem.help("make `file` name a file that this process may read"));
                return None;
            }
        };
        let builder = SourceBuilder::new(FoundBy { key: key?, fold_email: self.fold_email });
        let mut reading = Reading { builder, problems, seen: 0, wrong: 0 };
        reading.all(&text, path);
        Some(reading.builder.finish())
    }
}

/// A text that has to be there.
fn required<'s>(section: &Section<'s>, key: &str, problems: &mut Problems) -> Option<&'s str> {
    if section.node(key).is_none() {
        let message = format!("a source of records needs `{key}`");
        problems.push(Problem::new("missing_field", section.place(), message).help(EXAMPLE));
        return None;
    }
    let text = section.text(key, problems)?;
    if text.is_empty() {
        let message = format!("`{key}` of a source of records is empty");
        problems.push(Problem::new("bad_value", section.place_of(key), message).help(EXAMPLE));
        return None;
    }
    Some(text)
}

fn record_type<'s>(
    section: &Section<'s>,
    types: &mut BTreeSet<&'s str>,
    problems: &mut Problems,
) -> Option<&'s str> {
    let record_type = required(section, "record_type", problems)?;
    if !types.insert(record_type) {
        let message = format!("two sources have records of the type `{record_type}`");
        problems.push(
            Problem::new("duplicate_record_type", section.place_of("record_type"), message)
                .help("put all records of a type into one file"),
        );
    }
    Some(record_type)
}

fn foreign_key(section: &Section<'_>, problems: &mut Problems) -> Option<ForeignKey> {
    if section.node("foreign_key").is_none() {
        return Some(ForeignKey::default());
    }
    let name = section.text("foreign_key", problems)?;
    let key = ForeignKey::parse(name);
    if key.is_none() {
        let message = format!("`foreign_key` cannot be `{name}`");
        let help = match nearest(name, &ForeignKey::NAMES) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("use one of `{}`", ForeignKey::NAMES.join("`, `")),
        };
        let place = section.place_of("foreign_key");
        problems.push(Problem::new("bad_value", place, message).help(help));
    }
    key
}

/// One file being read.
struct Reading<'p> {
    builder: SourceBuilder,
    problems: &'p mut Problems,
    seen: usize,
    wrong: usize,
}

impl Reading<'_> {
    fn all(&mut self, text: &str, path: &Path) {
        let whole = Place::whole(&path.display().to_string());
        for item in items(text, path) {
            match item {
                Ok(item) => self.take(item),
                Err(problem) => return self.problems.push(problem),
            }
            if self.wrong == TOLD {
                let message = format!("{TOLD} records are wrong; those after them were not read");
                return self.problems.push(Problem::new("bad_record", &whole, message));
            }
        }
        if self.seen == 0 {
            self.problems.notice(Advice::NoRecords, &whole, "there are no records in this file");
        }
    }

    fn take(&mut self, item: Item) {
        self.seen += 1;
        let (why, help) = if let ClaimValue::Map(fields) = item.value {
            match self.builder.add(Record::new(fields)) {
                Ok(()) => return,
                Err(error) => (error.to_string(), error.help()),
            }
        } else {
            ("it is no map".to_owned(), "write each record as `{id: …, NAME: VALUE}`")
        };
        self.wrong += 1;
        let message = format!("record {} cannot be used: {why}", self.seen);
        self.problems.push(Problem::new("bad_record", &item.place, message).help(help));
    }
}
