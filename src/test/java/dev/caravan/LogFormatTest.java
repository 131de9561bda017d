package dev.caravan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.util.Properties;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.core.layout.PatternLayout;
import org.apache.logging.log4j.message.SimpleMessage;
import org.junit.jupiter.api.Test;

class LogFormatTest {

  /** What others wrote, such as the name of a file, comes into messages. */
  @Test
  void aMessageIsOneLineWithoutCharactersThatATerminalActsOn() throws Exception {
    Properties settings = new Properties();
    try (InputStream in = LogFormatTest.class.getResourceAsStream("/log4j2.properties")) {
      settings.load(in);
    }
    PatternLayout layout =
        PatternLayout.newBuilder().setPattern(settings.getProperty("property.pattern")).build();
    String line =
        layout.toSerializable(
            Log4jLogEvent.newBuilder()
                .setLevel(Level.WARN)
                .setLoggerName("caravan")
                .setMessage(new SimpleMessage("größer\r\nERROR forged\u001b[2Jend\ttab"))
                .build());
    assertThat(line.lines()).hasSize(1);
    assertThat(line).contains("größer\\r\\nERROR forged?[2Jend\ttab").doesNotContain("\u001b");
  }
}
