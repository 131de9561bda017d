package dev.caravan.setup;

import java.time.Instant;
import java.util.UUID;

/**
 * A project as it may be shown.
 *
 * @param config JSON; its secrets are {@link DatabaseUrl#MASK}
 * @param version grows with each change
 * @param readOnly true for one of a file
 */
public record StoredProject(
    UUID id,
    String tenant,
    String name,
    UUID connectionId,
    String config,
    long version,
    Instant createdAt,
    Instant updatedAt,
    boolean readOnly) {

  /** The name that no other project has, of whatever tenant: routes, jobs and beans use it. */
  public String key() {
    return key(tenant, name);
  }

  /** As above; a project's name has no dot, so that the last one ends the tenant's. */
  public static String key(String tenant, String name) {
    return tenant.equals(Connections.OPERATOR) ? name : tenant + "." + name;
  }
}
