package dev.caravan.sync;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Objects;

/**
 * One entry of the file of schedules.
 *
 * @param name of the schedule, unlike all others
 * @param factorTypeId null for data entries
 * @param cron of Quartz: seconds, minutes, hours, day of month, month, day of week
 * @param timeZone such as Europe/Zurich
 * @param runMissed whether instants that nobody was there for are made up for, by one sync; false
 *     by default
 * @param filters as a caller of the API would give them; null for none
 * @param config the same
 */
record SyncSchedule(
    @JsonProperty(required = true) String name,
    @JsonProperty(required = true) int moduleId,
    Integer factorTypeId,
    @JsonProperty(required = true) String providerType,
    @JsonProperty(required = true) int year,
    @JsonProperty(required = true) String cron,
    @JsonProperty(required = true) String timeZone,
    Boolean runMissed,
    ObjectNode filters,
    ObjectNode config) {

  SyncSchedule {
    Objects.requireNonNull(name, "name: missing");
    Objects.requireNonNull(providerType, "provider_type: missing");
    Objects.requireNonNull(cron, "cron: missing");
    Objects.requireNonNull(timeZone, "time_zone: missing");
    runMissed = Boolean.TRUE.equals(runMissed);
  }
}
