/**
 * Real nodes under real faults, and what must hold all the same: docs/reliability.md. Tests of tag
 * {@code torture} take minutes to hours and run by their own profile.
 */
package dev.caravan.torture;
