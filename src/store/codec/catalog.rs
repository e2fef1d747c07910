//! What is in the catalog as rows of one table: of what kind, its id, where it is, what may be there
//! once, and the record.

mod records;

use super::{agree, folded, json, read};
use crate::catalog::{Blocked, Catalog, PolicyRecord, RouteRecord};
use crate::namespace::{NamespaceRecord, Permission};
use crate::store::StoreError;
use crate::store::statement::{Cell, Row};
use records::{BlockedJson, NamespaceJson, PermissionJson, PolicyJson, RouteJson};
use serde::Deserialize;

pub(in crate::store) const CATALOG_COLUMNS: &str = "kind, id, place, name, version, record";
/// Where `name` stands among them.
const NAME: usize = 3;

/// What kind of thing a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Kind {
    Namespace,
    Permission,
    Policy,
    Route,
    Blocked,
}

impl Kind {
    const ALL: [Self; 5] =
        [Self::Namespace, Self::Permission, Self::Policy, Self::Route, Self::Blocked];

    pub(in crate::store) fn name(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Permission => "permission",
            Self::Policy => "policy",
            Self::Route => "route",
            Self::Blocked => "blocked",
        }
    }
}

/// A thing of the catalog, as it is stored.
#[derive(Clone, Debug)]
pub(in crate::store) struct Stored {
    pub(in crate::store) kind: Kind,
    pub(in crate::store) id: String,
    /// The namespace it is in.
    pub(in crate::store) place: Option<String>,
    /// Of its kind there is one of this name in that place.
    pub(in crate::store) name: Option<String>,
    /// Zero for what counts no changes.
    pub(in crate::store) version: u64,
    record: Cell,
}

impl Stored {
    pub(in crate::store) fn namespace(record: &NamespaceRecord) -> Result<Self, StoreError> {
        Ok(Self {
            kind: Kind::Namespace,
            id: record.id.as_str().to_owned(),
            place: record.parent.as_ref().map(|parent| parent.as_str().to_owned()),
            name: Some(record.name.folded()),
            version: record.version,
            record: json(&NamespaceJson::of(record))?,
        })
    }

    pub(in crate::store) fn permission(record: &Permission) -> Result<Self, StoreError> {
        let Permission { id, namespace, subject, .. } = record;
        Ok(Self {
            kind: Kind::Permission,
            id: id.as_str().to_owned(),
            place: Some(namespace.as_str().to_owned()),
            name: Some(format!("{} {}", subject.kind(), subject.id())),
            version: 0,
            record: json(&PermissionJson::of(record))?,
        })
    }

    pub(in crate::store) fn policy(record: &PolicyRecord) -> Result<Self, StoreError> {
        Ok(Self {
            kind: Kind::Policy,
            id: record.id.as_str().to_owned(),
            place: Some(record.namespace.as_str().to_owned()),
            name: Some(folded(&record.name)),
            version: record.version,
            record: json(&PolicyJson::of(record))?,
        })
    }

    pub(in crate::store) fn route(record: &RouteRecord) -> Result<Self, StoreError> {
        Ok(Self {
            kind: Kind::Route,
            id: record.id.as_str().to_owned(),
            place: Some(record.namespace.as_str().to_owned()),
            name: None,
            version: record.version,
            record: json(&RouteJson::of(record))?,
        })
    }

    pub(in crate::store) fn blocked(record: &Blocked) -> Result<Self, StoreError> {
        Ok(Self {
            kind: Kind::Blocked,
            id: record.user.clone(),
            place: None,
            name: None,
            version: 0,
            record: json(&BlockedJson::of(record))?,
        })
    }

    /// The same after one more change.
    pub(in crate::store) fn next(&self) -> Self {
        Self { version: self.version.saturating_add(1), ..self.clone() }
    }

    /// In the order of `CATALOG_COLUMNS`.
    pub(in crate::store) fn cells(&self) -> Vec<Cell> {
        let maybe = |text: &Option<String>| text.as_deref().map_or(Cell::Null, Cell::text);
        vec![
            Cell::text(self.kind.name()),
            Cell::text(&self.id),
            maybe(&self.place),
            maybe(&self.name),
            Cell::number(self.version),
            self.record.clone(),
        ]
    }
}

/// Reads rows of the catalog. A kind that this version does not know is left out.
pub(in crate::store) fn catalog(rows: Vec<Row>) -> Result<Catalog, StoreError> {
    let mut catalog = Catalog::default();
    for row in rows {
        let given = row.rest().to_vec();
        let unreadable = |why: &str| {
            let name = match given.get(1) {
                Some(Cell::Text(name)) => name,
                Some(Cell::Null | Cell::Int(_)) | None => "",
            };
            StoreError::corrupt(format!("the catalog at `{name}`: {why}"))
        };
        if let Some(stored) = add(&mut catalog, row, unreadable)? {
            let mut wanted = stored.cells();
            // Names are there to be unique, and a later version may fold letters otherwise.
            wanted.splice(NAME..=NAME, given.get(NAME).cloned());
            agree(&given, &wanted).map_err(|error| unreadable(&error))?;
        }
    }
    Ok(catalog)
}

/// Gives what it has read as it would be stored.
fn add(
    catalog: &mut Catalog,
    mut row: Row,
    unreadable: impl Fn(&str) -> StoreError,
) -> Result<Option<Stored>, StoreError> {
    let kind = row.text()?;
    let Some(kind) = Kind::ALL.into_iter().find(|known| known.name() == kind) else {
        return Ok(None);
    };
    let id = row.original()?;
    row.skip(2);
    let (version, text) = (row.number()?, row.text()?);
    let key = (id.as_str(), version);
    let stored = match kind {
        Kind::Namespace => keep(&mut catalog.namespaces, key, &text, Stored::namespace),
        Kind::Permission => keep(&mut catalog.permissions, key, &text, Stored::permission),
        Kind::Policy => keep(&mut catalog.policies, key, &text, Stored::policy),
        Kind::Route => keep(&mut catalog.routes, key, &text, Stored::route),
        Kind::Blocked => keep(&mut catalog.blocked, key, &text, Stored::blocked),
    };
    stored.map(Some).map_err(|error| unreadable(&error))
}

fn keep<R: Readable>(
    list: &mut Vec<R>,
    (id, version): (&str, u64),
    text: &str,
    stored: impl Fn(&R) -> Result<Stored, StoreError>,
) -> Result<Stored, String> {
    let json: R::Json = read(text)?;
    let record = R::of_json(json, id, version).ok_or("its record names what cannot be")?;
    let stored = stored(&record).map_err(|error| error.to_string())?;
    list.push(record);
    Ok(stored)
}

/// What is read from JSON and two columns.
trait Readable: Sized {
    type Json: for<'de> Deserialize<'de>;

    fn of_json(json: Self::Json, id: &str, version: u64) -> Option<Self>;
}
