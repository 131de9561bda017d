package dev.caravan.bench;

import java.nio.file.Path;
import java.time.Duration;

/** One way to bring a file into a table, creating it with text columns where it is missing. */
interface Contestant extends AutoCloseable {

  /** As it stands in the table of results. */
  String name();

  /** Upserts the file by its column id, in one transaction; says how long it took. */
  Duration load(Shape shape, Path file, String table) throws Exception;

  @Override
  default void close() {}
}
