//! `lictor namespace roles`, `grant` and `remove-role`.

use super::Named;
use crate::admin::PermissionView;
use crate::cli::opened::{People, with_admin};
use crate::cli::report::{self, instant};
use crate::cli::terminal::{Common, one_of};
use crate::cli::{Exit, json};
use crate::id::PermissionId;
use crate::namespace::{Role, Subject};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "`administrators` of the configuration are admins everywhere, and are not listed.

Example: lictor namespace roles --config lictor.yaml Design

Exit codes: 0 listed, 4 there is no such namespace, 5 the store does not answer."
)]
pub(in crate::cli) struct Roles {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
}

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("whom").required(true),
    after_help = "viewer: look. manager: change machines, routes and optional policies. admin: decide about people, roles and
enforced policies. Each includes those before, and counts below.

Example: lictor namespace grant --config lictor.yaml Design --group g-design --role manager

Exit codes: 0 given, 2 something cannot be taken as written, 4 refused, 5 the store does not answer."
)]
pub(in crate::cli) struct Grant {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
    /// The user id of a person, or of a service account with a name of its own
    #[arg(long, value_name = "USER ID", group = "whom")]
    user: Option<String>,
    /// The id of a group: everybody who is a member
    #[arg(long, value_name = "GROUP ID", group = "whom")]
    group: Option<String>,
    /// viewer, manager or admin
    #[arg(long, value_parser = role)]
    role: Role,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor namespace remove-role --config lictor.yaml perm_0123456789abcdef0123456789abcdef

Exit codes: 0 taken away, 4 one of them was not there, or is the last, 5 the store does not answer."
)]
pub(in crate::cli) struct RemoveRole {
    #[command(flatten)]
    common: Common,
    /// The role, as `lictor namespace roles` names it
    #[arg(value_name = "ROLE", value_parser = permission_id)]
    role: PermissionId,
}

fn role(text: &str) -> Result<Role, String> {
    one_of(Role::ALL, |role| role.name(), text)
}

fn permission_id(text: &str) -> Result<PermissionId, String> {
    PermissionId::parse(text)
        .ok_or_else(|| "write it as `lictor namespace roles` prints it: perm_…".to_owned())
}

impl Roles {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Welcome, async |terminal| {
            let id = terminal.namespace(&self.named.namespace)?;
            let views = terminal.admin.permissions(&terminal.by, &id).await?;
            let all = || views.iter().map(json::permission).collect::<Value>();
            self.common.format.print(|| table(&views), all);
            Ok(())
        })
    }
}

fn table(views: &[PermissionView]) -> String {
    let row = |view: &PermissionView| {
        let given = &view.permission;
        let called = if view.email.is_empty() { &view.name } else { &view.email };
        [
            given.id.to_string(),
            given.role.name().to_owned(),
            given.subject.kind().to_owned(),
            given.subject.id().to_owned(),
            called.clone(),
            view.inherited_from.clone().unwrap_or_default(),
            given.created_by.clone(),
            instant(given.created),
        ]
    };
    let head =
        ["ID", "ROLE", "OF A", "WHO", "CALLED", "GIVEN IN", "BY", "SINCE"].map(str::to_owned);
    report::table(&std::iter::once(head).chain(views.iter().map(row)).collect::<Vec<_>>())
}

impl Grant {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Welcome, async |terminal| {
            let id = terminal.namespace(&self.named.namespace)?;
            let subject = match (&self.user, &self.group) {
                (_, Some(group)) => Subject::Group(group.clone()),
                (user, None) => Subject::User(user.clone().unwrap_or_default()),
            };
            let (admin, by) = (&terminal.admin, &terminal.by);
            let given = admin.grant(by, &id, (subject, self.role), terminal.at()).await?;
            self.common.format.print(|| format!("{}\n", given.id), || json::given(&given));
            Ok(())
        })
    }
}

impl RemoveRole {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let (admin, by) = (&terminal.admin, &terminal.by);
            admin.remove_permission(by, &self.role, terminal.at()).await?;
            let gone = || json!({ "id": self.role.as_str() });
            self.common.format.print(|| format!("{}\n", self.role), gone);
            Ok(())
        })
    }
}
