package dev.caravan.project;

import java.time.ZoneId;

/**
 * When the files of a project are imported, instead of whenever they come.
 *
 * @param cron expression of Quartz
 * @param zone of the expression
 * @param runMissed whether one import makes up for the instants that were missed
 */
public record ScheduleConfig(String cron, ZoneId zone, boolean runMissed) {}
