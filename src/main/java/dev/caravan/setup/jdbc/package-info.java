/** The tables of connections, projects and their secrets. */
package dev.caravan.setup.jdbc;
