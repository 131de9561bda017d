/**
 * Who calls: API keys and JWT bearer tokens, roles, and the limit on failures. A credential decides
 * the tenant, and nothing else does.
 *
 * <p>Imports java, {@code failure}, {@code database} ({@code access.jdbc}), Nimbus JOSE and
 * Caffeine. It knows no HTTP and no Camel.
 */
package dev.caravan.access;
