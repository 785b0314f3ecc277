//! What people change on a board itself, in its settings. GitHub tells no App about it by webhook:
//! whoever wants to know has to look.

use super::refusal::Refusal;
use super::seed::FieldSpec;
use super::state::{Field, FieldKind, State};
use super::{Sim, SimError};

impl Sim {
    /// Gives an option of a single-select field another name; rows keep it.
    pub fn rename_option(
        &self,
        board: (&str, u64),
        field: &str,
        from: &str,
        to: &str,
    ) -> Result<(), SimError> {
        self.with(|state| {
            let known = state.field_of(board, field)?;
            let options = match &mut known.kind {
                FieldKind::SingleSelect(options) => options.as_mut_slice(),
                _ => &mut [],
            };
            if options.iter().any(|option| option.name == to) {
                return Err(Refusal::new(422, "Name has already been taken").into());
            }
            let option = options.iter_mut().find(|option| option.name == from);
            let missing = || SimError::Missing(format!("option {from} of field {field}"));
            to.clone_into(&mut option.ok_or_else(missing)?.name);
            Ok(())
        })
    }

    /// A new field, behind the others.
    pub fn add_field(&self, (org, project): (&str, u64), spec: FieldSpec) -> Result<(), SimError> {
        self.with(|state| {
            let id = state.numbered_project(org, project)?.id;
            let (name, kind) = state.field_kind(spec);
            let field = state.new_field(&name, kind);
            let now = state.now();
            if let Some(board) = state.projects.get_mut(&id) {
                board.fields.push(field);
                board.updated_at = now;
            }
            Ok(())
        })
    }
}

impl State {
    fn field_of(
        &mut self,
        (org, project): (&str, u64),
        name: &str,
    ) -> Result<&mut Field, SimError> {
        let id = self.numbered_project(org, project)?.id;
        let now = self.now();
        let board = self.projects.get_mut(&id);
        let field = board.and_then(|board| {
            board.updated_at = now;
            board.fields.iter_mut().find(|field| field.name == name)
        });
        field.ok_or_else(|| SimError::Missing(format!("field {name}")))
    }
}
