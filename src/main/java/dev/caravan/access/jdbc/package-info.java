/** API keys in {@code caravan.api_key}. */
package dev.caravan.access.jdbc;
