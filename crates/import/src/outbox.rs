//! The commands of an import, in order, each once.

use std::collections::HashMap;

use ledger_domain::ids::CommandId;
use ledger_domain::wire::v1::Command;

use super::LineFault;

/// Collects commands. The same command again adds nothing; another one under the same id is a contradiction between two
/// lines, which the ledger would refuse as `command_id_reused`.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    commands: Vec<Command>,
    places: HashMap<CommandId, (usize, u64)>,
}

impl Outbox {
    /// Adds the command that `line` asks for; whether it was not there yet.
    pub(super) fn add(
        &mut self,
        line: u64,
        what: &str,
        command: Command,
    ) -> Result<bool, LineFault> {
        if let Some((index, first)) = self.places.get(&command.id) {
            return match self.commands.get(*index) {
                Some(earlier) if *earlier == command => Ok(false),
                Some(_) | None => Err(LineFault::Contradiction {
                    first: *first,
                    what: what.to_owned(),
                }),
            };
        }
        self.places.insert(command.id, (self.commands.len(), line));
        self.commands.push(command);
        Ok(true)
    }

    /// The commands, in the order in which they were added.
    pub(super) fn into_commands(self) -> Vec<Command> {
        self.commands
    }
}
