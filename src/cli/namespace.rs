//! `lictor namespace`: the tree, and the roles given in it.

mod change;
mod roles;
mod show;

use super::Exit;

#[derive(Debug, clap::Subcommand)]
pub(super) enum NamespaceCommand {
    /// List namespaces as a tree, with how much is in each
    List(show::List),
    /// Show a namespace with what is in it
    Show(show::Show),
    /// Make a namespace
    Create(change::Create),
    /// Change what a namespace is for, or how long service accounts in it may live
    Update(change::Update),
    /// Call a namespace something else; its id stays
    Rename(change::Rename),
    /// Put a namespace, with all that is below it, below another one
    Move(change::Move),
    /// Delete a namespace
    Delete(change::Delete),
    /// List the roles that count in a namespace
    Roles(roles::Roles),
    /// Give a role in a namespace and below
    Grant(roles::Grant),
    /// Take a role away
    RemoveRole(roles::RemoveRole),
}

impl NamespaceCommand {
    pub(super) fn run(&self) -> Exit {
        match self {
            Self::List(list) => list.run(),
            Self::Show(show) => show.run(),
            Self::Create(create) => create.run(),
            Self::Update(update) => update.run(),
            Self::Rename(rename) => rename.run(),
            Self::Move(to) => to.run(),
            Self::Delete(delete) => delete.run(),
            Self::Roles(roles) => roles.run(),
            Self::Grant(grant) => grant.run(),
            Self::RemoveRole(remove) => remove.run(),
        }
    }
}

/// Which namespace a command is about.
#[derive(Debug, clap::Args)]
struct Named {
    /// The namespace: an id, or the way to it such as `Design/Web`
    #[arg(value_name = "NAMESPACE")]
    namespace: String,
}
