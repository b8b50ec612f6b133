#pragma once

#include <fmt/core.h>

#include <functional>
#include <string_view>
#include <utility>

namespace redoubt::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

std::string_view LogLevelName(LogLevel level);

using LogSink = std::function<void(LogLevel, std::string_view message)>;

// Where a part writes its log lines. Cheap to copy; each part gets one from whoever builds it, so the module's lines
// go to the server's log and the assistant's to its own. Secrets never belong in a line.
// Safe on many threads when the sink is.
class Logger {
 public:
  Logger() = default;  // drops everything
  explicit Logger(LogSink sink, LogLevel lowest = LogLevel::kInfo) : sink_(std::move(sink)), lowest_(lowest) {}

  template <class... Args>
  void Debug(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kDebug, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void Info(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kInfo, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void Warning(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kWarning, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void Error(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kError, format, std::forward<Args>(args)...);
  }

 private:
  template <class... Args>
  void Write(LogLevel level, fmt::format_string<Args...> format, Args&&... args) const {
    if (!sink_ || level < lowest_) return;
    sink_(level, fmt::format(format, std::forward<Args>(args)...));
  }

  LogSink sink_;
  LogLevel lowest_ = LogLevel::kInfo;
};

// A sink that writes "2026-11-22T12:00:00.123Z INFO message" lines to standard error, one write per line.
LogSink StderrSink();

}  // namespace redoubt::base
