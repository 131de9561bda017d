package dev.caravan.torture;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Randomized faults over several nodes: docs/reliability.md. */
@Tag("torture")
class TortureTest {

  @Test
  void keepsItsPromisesUnderRandomFaults() throws Exception {
    Path folder = Files.createDirectories(Path.of("target/torture")).toAbsolutePath();
    Torture torture =
        new Torture(
            Integer.getInteger("torture.faults", 1_000),
            Integer.getInteger("torture.jobs", 500),
            Integer.getInteger("torture.nodes", 3),
            Long.getLong("torture.seed", System.nanoTime() % 1_000_000),
            !"off".equals(System.getProperty("torture.fence")));
    torture.check(torture.run(Files.createTempDirectory(folder, "run")));
  }
}
