//! What the domain promises, tested from outside: the bytes of the wire, every rule of a decision, and the invariants.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod assessments;
#[cfg(test)]
mod commitments;
mod corrections;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod form;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod identifiers;
#[cfg(test)]
mod measures;
#[cfg(test)]
mod names;
#[cfg(test)]
mod outlines;
#[cfg(test)]
mod participation;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod reporting;
#[cfg(test)]
mod rich;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod status;
#[cfg(test)]
mod support;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod upr;
#[cfg(test)]
mod wire;
