package dev.caravan.torture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A minute of what the profile {@code torture} does for long. */
class TortureSliceTest {

  @TempDir Path folder;

  @Test
  void keepsItsPromisesUnderOneFaultOfEachKind() throws Exception {
    Torture torture = new Torture(Fault.values().length, 15, 2, 42, true);
    torture.check(torture.run(folder));
  }

  @Test
  void readsAllOfTheInvariants() throws Exception {
    assertThat(new Invariants().count()).isEqualTo(15);
  }
}
