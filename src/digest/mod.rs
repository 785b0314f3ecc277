//! The weekly summary and the KPIs.
