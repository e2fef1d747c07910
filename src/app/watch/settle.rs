//! When files that are changing have come to rest. A file that was moved into place or closed by its
//! writer is whole; one that is being written is not yet, and of many changes nobody can tell.

use notify::event::{AccessKind, AccessMode, Event, EventKind, ModifyKind};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Editors write a file in several steps, and tools write several files; one reading afterwards is
/// enough. Nothing waits longer, whatever goes on.
const LONGEST: Duration = Duration::from_millis(200);
/// So long nothing happens to files that are whole.
const REST: Duration = Duration::from_millis(40);

/// What has happened to the files since they were looked at.
#[derive(Debug, Default)]
struct Signs {
    /// The files that count, by name: folders can be written in several ways.
    names: BTreeSet<OsString>,
    /// Anything at all has happened in their folders.
    stirred: bool,
    /// A file that counts is whole again, or something was moved: what is linked to may be elsewhere.
    whole: bool,
    /// Files that count and were written to since they were opened.
    writing: BTreeSet<OsString>,
}

/// Hears of changes and waits for their end.
#[derive(Debug)]
pub(super) struct Settling {
    signs: Arc<watch::Sender<Signs>>,
    heard: watch::Receiver<Signs>,
}

impl Default for Settling {
    fn default() -> Self {
        let (signs, heard) = watch::channel(Signs::default());
        Self { signs: Arc::new(signs), heard }
    }
}

impl Settling {
    /// What is to be told of everything that happens in the folders.
    pub(super) fn listener(&self) -> impl Fn(Result<Event, notify::Error>) + Send + 'static {
        let signs = Arc::clone(&self.signs);
        move |event| {
            if let Ok(event) = event {
                signs.send_if_modified(|signs| signs.note(&event));
            }
        }
    }

    /// From now on these files count.
    pub(super) fn name(&self, files: &[PathBuf]) {
        let names = files.iter().filter_map(|file| file.file_name());
        let names = names.map(ToOwned::to_owned).collect();
        self.signs.send_if_modified(|signs| {
            signs.names = names;
            false
        });
    }

    /// Waits for a change, and until the files are at rest.
    pub(super) async fn settled(&mut self) {
        // The sender is held here too.
        drop(self.heard.changed().await);
        drop(tokio::time::timeout(LONGEST, self.at_rest()).await);
        self.signs.send_if_modified(|signs| {
            signs.clear();
            false
        });
    }

    async fn at_rest(&mut self) {
        loop {
            let whole = self.heard.borrow_and_update().is_whole();
            tokio::select! {
                () = tokio::time::sleep(REST), if whole => return,
                _ = self.heard.changed() => {}
            }
        }
    }
}

impl Signs {
    fn is_whole(&self) -> bool {
        self.whole && self.writing.is_empty()
    }

    fn clear(&mut self) {
        self.stirred = false;
        self.whole = false;
        self.writing.clear();
    }

    /// Says whether that is worth to be told: what goes on beside the files that count is, once.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum with dozens of kinds")]
    fn note(&mut self, event: &Event) -> bool {
        let counts = |path: &PathBuf| {
            path.file_name().filter(|name| self.names.contains(*name)).map(ToOwned::to_owned)
        };
        let ours: Vec<OsString> = event.paths.iter().filter_map(counts).collect();
        let (whole, written) = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) | EventKind::Remove(_) => {
                (!ours.is_empty(), false)
            }
            EventKind::Access(_) => return false,
            EventKind::Modify(ModifyKind::Name(_)) => (true, false),
            EventKind::Create(_) | EventKind::Modify(ModifyKind::Data(_)) => (false, true),
            _ => (false, false),
        };
        let news = !self.stirred || whole || !ours.is_empty();
        self.stirred = true;
        self.whole |= whole;
        for name in ours {
            if written {
                self.writing.insert(name);
            } else if whole {
                self.writing.remove(&name);
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::Signs;
    use notify::event::{
        AccessKind, AccessMode, CreateKind, DataChange, Event, EventKind, MetadataKind, ModifyKind,
        RemoveKind, RenameMode,
    };

    const CREATED: EventKind = EventKind::Create(CreateKind::File);
    const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    const TOUCHED: EventKind = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
    const MOVED: EventKind = EventKind::Modify(ModifyKind::Name(RenameMode::To));
    const OPENED: EventKind = EventKind::Access(AccessKind::Open(AccessMode::Any));
    const CLOSED: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));
    const READ: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Read));
    const REMOVED: EventKind = EventKind::Remove(RemoveKind::File);
    const OVERFLOWN: EventKind = EventKind::Other;

    /// After these events: whether anything is worth a look, and whether the files are whole.
    fn after(events: &[(EventKind, &str)]) -> (bool, bool) {
        let names = ["people.yaml".into(), "lictor.yaml".into()].into();
        let mut signs = Signs { names, ..Signs::default() };
        for (kind, file) in events {
            let path = std::path::PathBuf::from("/etc/lictor").join(file);
            signs.note(&Event::new(*kind).add_path(path));
        }
        (signs.stirred, signs.is_whole())
    }

    #[test]
    fn a_file_is_whole_when_its_writer_is_done() {
        let file = "people.yaml";
        assert_eq!(after(&[]), (false, false));
        assert_eq!(after(&[(OPENED, file), (READ, file)]), (false, false), "somebody reads it");
        assert_eq!(after(&[(WRITTEN, file)]), (true, false));
        assert_eq!(after(&[(WRITTEN, file), (WRITTEN, file), (CLOSED, file)]), (true, true));
        assert_eq!(after(&[(CREATED, file)]), (true, false), "what is made is written next");
        assert_eq!(after(&[(CREATED, file), (WRITTEN, file), (CLOSED, file)]), (true, true));
        assert_eq!(after(&[(CLOSED, file)]), (true, true), "written in memory");
        assert_eq!(after(&[(REMOVED, file)]), (true, true));
    }

    #[test]
    fn a_file_that_is_moved_into_place_is_whole() {
        let next = "next.tmp";
        let write = [(CREATED, next), (WRITTEN, next), (CLOSED, next)];
        assert_eq!(after(&write), (true, false), "it is none of ours yet");
        assert_eq!(after(&[write.as_slice(), &[(MOVED, "people.yaml")]].concat()), (true, true));
        // A link to a folder that holds the files.
        assert_eq!(after(&[(CREATED, "..data_tmp"), (MOVED, "..data")]), (true, true));
        // It takes the place of one that was being written.
        assert_eq!(after(&[(WRITTEN, "people.yaml"), (MOVED, "people.yaml")]), (true, true));
    }

    #[test]
    fn all_of_them_are_waited_for() {
        let both = [(WRITTEN, "people.yaml"), (WRITTEN, "lictor.yaml"), (CLOSED, "people.yaml")];
        assert_eq!(after(&both), (true, false));
        assert_eq!(after(&[both.as_slice(), &[(CLOSED, "lictor.yaml")]].concat()), (true, true));
    }

    #[test]
    fn nobody_can_tell_of_anything_else() {
        for (kind, file) in [
            (WRITTEN, "lictor.db-wal"),
            (CLOSED, "lictor.log"),
            (TOUCHED, "people.yaml"),
            (OVERFLOWN, "people.yaml"),
        ] {
            assert_eq!(after(&[(kind, file)]), (true, false), "{kind:?}");
        }
    }

    #[test]
    fn what_goes_on_beside_them_is_told_once() {
        let mut signs = Signs { names: ["people.yaml".into()].into(), ..Signs::default() };
        let beside = Event::new(WRITTEN).add_path("lictor.db-wal".into());
        let ours = Event::new(WRITTEN).add_path("people.yaml".into());
        assert!(signs.note(&beside) && !signs.note(&beside), "once");
        assert!(signs.note(&ours) && signs.note(&ours), "each may be the last");
        signs.clear();
        assert!(signs.note(&beside), "once more after a look");
    }
}
