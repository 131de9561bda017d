package dev.caravan.setup;

import java.time.Instant;
import java.util.UUID;

/**
 * A project as it may be shown.
 *
 * @param config JSON; its secrets are {@link DatabaseUrl#MASK}; null where a long list leaves it
 *     out
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

  /** The name that no other project has, of whatever tenant: jobs and schedules use it. */
  public String key() {
    return key(tenant, name);
  }

  /** As above; a project's name has no dot, so that the last one ends the tenant's. */
  public static String key(String tenant, String name) {
    return tenant.equals(Connections.OPERATOR) ? name : tenant + "." + name;
  }

  /** The tenant in a key. */
  public static String tenantOf(String key) {
    int dot = key.lastIndexOf('.');
    return dot < 0 ? Connections.OPERATOR : key.substring(0, dot);
  }

  /** The name in a key. */
  static String nameOf(String key) {
    return key.substring(key.lastIndexOf('.') + 1);
  }
}
