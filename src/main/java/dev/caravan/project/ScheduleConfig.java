package dev.caravan.project;

import java.time.ZoneId;
import java.util.Optional;

/**
 * When the files of a project are imported, if not whenever they come.
 *
 * @param cron expression of Quartz; empty when the folder is polled instead
 * @param zone of the expression
 * @param runMissed whether one import makes up for the instants that were missed
 */
public record ScheduleConfig(Optional<String> cron, ZoneId zone, boolean runMissed) {}
