@echo off
rem Double click: opens JupyterLab. With words: runs them as verbs, such as  huying.bat run demo
rem --offline as the first word: installs from the folder wheelhouse beside this file (made by "make wheelhouse").
chcp 65001 >nul
setlocal
set PYTHONUTF8=1
cd /d "%~dp0"
set OFFLINE=
if /i "%~1"=="--offline" (set OFFLINE=1& shift)
set "PY=%~dp0.venv\Scripts\python.exe"
if exist "%~dp0.venv\installed" goto run

set FOUND=
set VERSIONS=3.13 3.12 3.11
if defined OFFLINE set VERSIONS=3.11
for %%v in (%VERSIONS%) do if not defined FOUND py -%%v -c "" >nul 2>nul && set "FOUND=py -%%v"
if not defined FOUND python -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>nul && set FOUND=python
if not defined FOUND (
  echo Python 3.11 or newer was not found. Install it from python.org, tick "Add python.exe to PATH", and start this file again.
  echo 没有找到 Python 3.11 或更新的版本。请从 python.org 安装（勾选 Add python.exe to PATH），再打开本文件。
  pause
  exit /b 2
)
echo Setting up, once. 正在安装，仅此一次。
%FOUND% -m venv "%~dp0.venv" || goto failed
if defined OFFLINE (
  set PIP_NO_INDEX=1
  set "PIP_FIND_LINKS=%~dp0wheelhouse"
  "%PY%" -m pip install --quiet --require-hashes -r requirements.lock || goto failed
) else (
  "%PY%" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock || goto failed
)
"%PY%" -m pip install --quiet --no-deps --no-build-isolation -e . || goto failed
echo installed> "%~dp0.venv\installed"

:run
if "%~1"=="" (
  "%PY%" -m jupyter lab notebooks
  exit /b %errorlevel%
)
set WORDS=
:next
if "%~1"=="" goto call
set WORDS=%WORDS% "%~1"
shift
goto next
:call
"%PY%" -m huying %WORDS%
exit /b %errorlevel%

:failed
echo The installation failed; see the lines above. 安装没有完成，原因见上。
pause
exit /b 1
